"""Keeps an agent out of a room that has ended, or that has its agent already.

LiveKit creates a missing room for whoever joins it, agents too (livekit-behaviour 3), and a
reconnecting client joins anew: so the room is looked up before every way in.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import aiohttp
from livekit import api, rtc
from livekit.agents.types import ATTRIBUTE_AGENT_NAME

from agent.background import start_task
from agent.humans import HUMAN_KINDS
from agent.settings import AgentSettings

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_LOOK_AGAIN_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class RoomNow:
    """What LiveKit says of a room.

    Attributes:
        sid: Which room of its name it is; None when there is none.
        agent_names: The `lk.agent.name` of every agent in it; unnamed ones have "".
        has_human: Whether somebody is in it whom an agent talks with.
    """

    sid: str | None
    agent_names: frozenset[str] = frozenset()
    has_human: bool = False


FindRoom = Callable[[str], Awaitable[RoomNow]]


async def find_room(settings: AgentSettings, room_name: str) -> RoomNow:
    """Ask LiveKit which room of that name there is, and which agents are in it."""
    # The job's own HTTP session builds a TLS context first: 26 ms before every join.
    async with (
        aiohttp.ClientSession(trust_env=True) as session,
        api.LiveKitAPI(
            settings.livekit_url,
            settings.livekit_api_key,
            settings.livekit_api_secret,
            session=session,
        ) as livekit,
    ):
        listed, participants = await asyncio.gather(
            livekit.room.list_rooms(api.ListRoomsRequest(names=[room_name])),
            _list_participants(livekit, room_name),
        )
    agents = (one for one in participants if one.kind == api.ParticipantInfo.Kind.AGENT)
    return RoomNow(
        sid=listed.rooms[0].sid if listed.rooms else None,
        agent_names=frozenset(one.attributes.get(ATTRIBUTE_AGENT_NAME, "") for one in agents),
        has_human=any(
            one.kind in HUMAN_KINDS and not one.permission.hidden for one in participants
        ),
    )


async def _list_participants(
    livekit: api.LiveKitAPI, room_name: str
) -> Sequence[api.ParticipantInfo]:
    try:
        answer = await livekit.room.list_participants(api.ListParticipantsRequest(room=room_name))
    except api.TwirpError as error:
        if error.code != api.TwirpErrorCode.NOT_FOUND:
            raise
        return ()
    return answer.participants


class RoomLife:
    """Knows whether the room that a job was made for is still there, and still needs it."""

    def __init__(self, *, room_name: str, room_sid: str, find_room: FindRoom) -> None:
        self._room_name = room_name
        self._room_sid = room_sid
        self._find_room = find_room

    async def reason_to_stay_out(self, agent_name: str) -> str | None:
        """Say why an agent of that name must not join; None when it may, or nobody knows.

        A second agent would evict the first, which has the same identity. LiveKit then
        ends the *second* one's job, because it finds jobs by identity when a participant leaves
        (livekit-behaviour 45), and nobody would be left.
        """
        now = await self._look()
        if now and now.sid != self._room_sid:
            return "the room has ended"
        if now and agent_name in now.agent_names:
            return "the agent is there already"
        return None

    async def has_human(self) -> bool:
        """Say whether LiveKit knows of a human in the room; no answer means no."""
        now = await self._look()
        return bool(now and now.has_human)

    async def _look(self) -> RoomNow | None:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                return await self._find_room(self._room_name)
        except Exception as error:  # whatever the reason: unknown, and somebody may be waiting
            logger.warning("cannot look at the room: %r", error, exc_info=True)
            return None

    async def is_entered(self, room: rtc.Room) -> bool:
        """Say whether we are connected to that very room, and not to a later one of its name."""
        return await room.sid == self._room_sid

    def end_with_room(self, room: rtc.Room, end: Callable[[], None]) -> None:
        """Call `end` when a lost connection turns out to be the end of the room.

        Not where a human is in the room that has followed it: LiveKit was restarted in the middle
        of their call, and the SDK joins the new room of the old name by itself.
        """
        watches: set[asyncio.Task[None]] = set()

        def watch() -> None:
            # The next reconnection looks anew if this fails.
            task = start_task(self._watch(room, end), "looking for the room")
            watches.add(task)
            task.add_done_callback(watches.discard)

        room.on("reconnecting", watch)

    async def _watch(self, room: rtc.Room, end: Callable[[], None]) -> None:
        is_back = False
        while not is_back:
            is_back = room.connection_state != rtc.ConnectionState.CONN_RECONNECTING
            now = await self._look()
            if now and now.sid != self._room_sid and not now.has_human:
                end()
                return
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
