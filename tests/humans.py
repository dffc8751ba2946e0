"""Humans in tests: LiveKit's own Python client, driven from ordinary threads.

Each watches who is in their room for as long as they are there, so two agents of one name are
noticed at whatever moment, and no test waits for them.
"""

import asyncio
import os
import threading
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from typing import Any, Self, TypeVar

from livekit import rtc

from token_server.livekit.port import AGENT_NAME_ATTRIBUTE

T = TypeVar("T")
_CONNECT_SECONDS = 15.0
# To listen, and to look for networks again and again, costs many times what an idle client does.
CALM = rtc.RtcConfiguration(continual_gathering_policy=rtc.ContinualGatheringPolicy.GATHER_ONCE)
_STILL = rtc.RoomOptions(auto_subscribe=False, rtc_config=CALM)


class Watch:
    """What one human sees of the agents in the room: can two of a name be heard at any time?

    One that has not published is on its way: one too many ends there, before it has a voice.
    """

    def __init__(self, room: rtc.Room, doubles: list[str]) -> None:
        """Add a line to `doubles` at each second agent, from before the human is connected."""
        self._room, self._doubles = room, doubles
        # Failures are found later: the line says which test let this human in.
        self._test = os.environ.get("PYTEST_CURRENT_TEST", "")
        self._heard: defaultdict[str, set[str]] = defaultdict(set)
        room.on("track_published", lambda _, participant: self._note(participant))
        room.on("participant_disconnected", self._forget)

    def start(self) -> None:
        """Note those who were there before."""
        for participant in self._room.remote_participants.values():
            if participant.track_publications:
                self._note(participant)

    def _note(self, participant: rtc.RemoteParticipant) -> None:
        if participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            return
        name = participant.attributes.get(AGENT_NAME_ATTRIBUTE, "")
        heard = self._heard[name]
        heard.add(participant.sid)
        if len(heard) > 1:
            self._doubles.append(f"two of {name} in {self._room.name}, of {self._test}")

    def _forget(self, participant: rtc.RemoteParticipant) -> None:
        for heard in self._heard.values():
            heard.discard(participant.sid)


class Human:
    """Somebody in a room."""

    def __init__(self, humans: "Humans", room: rtc.Room) -> None:
        self._humans, self._room = humans, room

    def publish(self) -> None:
        """Have a voice."""
        self._humans.run(self._publish())

    def leave(self) -> None:
        """Leave the room, as a closed page does."""
        self._humans.run(self._room.disconnect())

    async def _publish(self) -> None:
        track = rtc.LocalAudioTrack.create_audio_track("voice", rtc.AudioSource(48_000, 1))
        await self._room.local_participant.publish_track(track)


class Humans:
    """Everybody whom one test sends into rooms; all of them leave at its end."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._all: list[Human] = []
        self._stayed = 0
        self.doubles: list[str] = []

    def join(self, url: str, *tokens: str) -> Sequence[Human]:
        """Let one human per token join, all at the same moment; return when they are connected."""
        rooms = self.run(self._connect_all(url, tokens))
        joined = [Human(self, room) for room in rooms]
        self._all += joined
        return joined

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the humans' event loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CONNECT_SECONDS)

    async def _connect_all(self, url: str, tokens: Sequence[str]) -> list[rtc.Room]:
        rooms = [rtc.Room() for _ in tokens]
        watches = [Watch(room, self.doubles) for room in rooms]
        await asyncio.gather(
            *(room.connect(url, token, _STILL) for room, token in zip(rooms, tokens, strict=True))
        )
        for watch in watches:
            watch.start()
        return rooms

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def leave(self) -> None:
        """Let everybody leave who is still there; nobody may have seen two agents of a name."""
        while self._all:
            self._all.pop().leave()
        self._stayed = 0
        self._see_that_nobody_saw_two()

    def leave_but_one(self) -> None:
        """Let all leave but who came last, who stays for one more test: what is late, comes then.

        Not more of them: an agent in a call takes a twentieth of a processor core.
        """
        stays = self._all.pop() if len(self._all) > self._stayed else None
        self.leave()
        if stays:
            self._all.append(stays)
        self._stayed = len(self._all)

    def _see_that_nobody_saw_two(self) -> None:
        doubles, self.doubles[:] = self.doubles[:], []
        assert not doubles, doubles

    def __exit__(self, *_: object) -> None:
        self.leave()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
