"""A human in the probe's room: joins as a browser does, listens, and watches LiveKit's API."""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from livekit import rtc

from token_server.cli.doctor.issued_token import IssuedToken
from token_server.cli.doctor.probe_observation import ObservedAgent, ProbeObservation
from token_server.errors import TokenServerError
from token_server.livekit.port import (
    AGENT_NAME_ATTRIBUTE,
    Dispatch,
    Participant,
    ParticipantKind,
    RpcOutcome,
)

# Seconds.
_CONNECT = 5.0
_LOOK_EVERY = 0.15
_LEAVE = 1.0
_AUDIBLE = 100  # of 32,767
# What our worker says of itself (agent/worker.py), where LiveKit has regions.
_WORKER_REGION = "worker.region"
_JWT = re.compile(r"ey[\w-]+\.[\w-]*\.?[\w-]*")


class Told(Protocol):
    """What LiveKit's API tells of a room, as far as a visit asks."""

    def list_participants(self, room_name: str) -> Sequence[Participant]:
        """Return who is in the room."""

    def list_dispatches(self, room_name: str) -> Sequence[Dispatch]:
        """Return the room's dispatches."""

    def ask_participant(self, room_name: str, participant_identity: str, method: str) -> RpcOutcome:
        """Call a participant's RPC method."""


class Visit:
    """One human's stay; everything it sees is in `seen`, also when it is interrupted.

    Args:
        token: To join with.
        livekit: LiveKit's API.
        seen: What is known so far.
        asked_at: When the token was asked for (monotonic seconds); all times count from there.
    """

    def __init__(
        self, token: IssuedToken, livekit: Told, seen: ProbeObservation, asked_at: float
    ) -> None:
        self._token, self._livekit = token, livekit
        self._seen, self._asked_at = seen, asked_at
        # Since when the last list, or the last ones, had an agent no more; by identity.
        self._absent: dict[str, float] = {}
        self._listening: set[asyncio.Task[None]] = set()
        # livekit's own words (timeouts, reconnects) would end up between ours.
        logging.getLogger("livekit").setLevel(logging.CRITICAL)

    async def run(self, say: Callable[[str], None], *, ends_at: float) -> None:
        """Join, stay until enough is known or the time is up, leave."""
        room = rtc.Room()
        room.on("participant_connected", self._meet)
        room.on("participant_disconnected", self._miss)
        room.on("track_published", self._hear_of_track)
        room.on("track_subscribed", self._listen)
        try:
            if await self._connect(room, say):
                await self._stay(room, say, ends_at)
        finally:
            self._seen.ended_at = self._now()
            room.off("participant_disconnected", self._miss)
            await self._leave(room)

    async def _connect(self, room: rtc.Room, say: Callable[[str], None]) -> bool:
        say("joining the room")
        try:
            async with asyncio.timeout(_CONNECT):
                await room.connect(self._token.server_url, self._token.participant_token)
        except TimeoutError:
            self._seen.join_error = f"not connected within {_CONNECT:.0f} s"
        except rtc.ConnectError as error:
            self._seen.join_error = _JWT.sub("(token)", str(error))[:200]
        else:
            self._seen.connected_at = self._now()
            return True
        await asyncio.to_thread(self._look)
        return False

    async def _stay(self, room: rtc.Room, say: Callable[[str], None], ends_at: float) -> None:
        for participant in room.remote_participants.values():
            self._meet(participant)
            for publication in participant.track_publications.values():
                self._hear_of_track(publication, participant)
        now = self._now()
        while not self._seen.knows_enough(now) and now < ends_at:
            say(self._doing())
            await asyncio.to_thread(self._look)
            await asyncio.to_thread(self._ask_for_life)
            await asyncio.sleep(_LOOK_EVERY)
            now = self._now()
        await asyncio.to_thread(self._look)

    def _doing(self) -> str:
        if self._seen.sound_at is not None:
            return "waiting for LiveKit to list the job"
        return "listening to the agent" if self._seen.agent else "waiting for the agent"

    def _meet(self, participant: rtc.RemoteParticipant) -> None:
        if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            agent_name = participant.attributes.get(AGENT_NAME_ATTRIBUTE, "")
            agent = ObservedAgent(agent_name=agent_name, seconds=self._now())
            self._seen.note_agent(participant.identity, agent)

    def _miss(self, participant: rtc.RemoteParticipant) -> None:
        self._seen.note_left(participant.identity, self._now())

    def _hear_of_track(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        self._meet(participant)
        is_audio = publication.kind == rtc.TrackKind.KIND_AUDIO
        if is_audio and self._is_wanted(participant) and self._seen.track_at is None:
            self._seen.track_at = self._now()

    def _listen(
        self, track: rtc.RemoteTrack, _: object, participant: rtc.RemoteParticipant
    ) -> None:
        if self._is_wanted(participant) and track.kind == rtc.TrackKind.KIND_AUDIO:
            self._listening.add(asyncio.create_task(self._wait_for_sound(track)))

    async def _wait_for_sound(self, track: rtc.RemoteTrack) -> None:
        stream = rtc.AudioStream.from_track(track=track)
        try:
            async for event in stream:
                if max(map(abs, event.frame.data)) > _AUDIBLE:
                    self._seen.sound_at = self._now()
                    return
        finally:
            await stream.aclose()

    def _is_wanted(self, participant: rtc.RemoteParticipant) -> bool:
        agent = self._seen.agents.get(participant.identity)
        return agent is not None and agent.agent_name == self._seen.agent_name

    def _look(self) -> None:
        """Ask LiveKit's API; never after the room was deleted: ListDispatch would take 3 s."""
        try:
            listed = self._livekit.list_participants(self._token.room_name)
            for participant in listed:
                self._note(participant)
            self._note_absent({one.participant_identity for one in listed})
            self._seen.note_dispatches(self._livekit.list_dispatches(self._token.room_name))
        except TokenServerError:
            self._seen.failed_looks += 1

    def _ask_for_life(self) -> None:
        """Put one question to an agent that is there and is not heard."""
        asked_at, life = self._now(), self._seen.life
        if identity := self._seen.whom_to_ask(asked_at):
            method = life.method
            outcome = self._livekit.ask_participant(self._token.room_name, identity, method)
            life.note(method, outcome, asked_at, self._now())

    def _note(self, participant: Participant) -> None:
        if participant.kind is ParticipantKind.AGENT:
            agent = ObservedAgent(
                agent_name=participant.agent_name,
                seconds=self._now(),
                region=participant.region,
                worker_region=participant.attributes.get(_WORKER_REGION, ""),
            )
            self._seen.note_agent(participant.participant_identity, agent)
            self._seen.note_there(participant.participant_identity)
        elif participant.participant_identity == self._token.participant_identity:
            self._seen.is_listed, self._seen.region = True, participant.region

    def _note_absent(self, listed: Collection[str]) -> None:
        """Two lists without an agent are believed; humans are told late that it went, or never."""
        now, before = self._now(), self._absent
        gone = set(self._seen.agents).difference(listed)
        self._absent = {identity: before.get(identity, now) for identity in gone}
        for identity in gone & before.keys():
            self._seen.note_left(identity, before[identity])

    def _now(self) -> float:
        return time.monotonic() - self._asked_at

    async def _leave(self, room: rtc.Room) -> None:
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE):
                await room.disconnect()
