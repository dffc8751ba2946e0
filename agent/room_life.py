"""Knows whether an agent belongs into its room: the room may have ended, or have another agent.

LiveKit creates a missing room for whoever joins it, agents too (livekit-behaviour 3), and a
reconnecting client joins anew: so the room is looked up before every way in. And LiveKit lets two
agents of one name be in a room: who comes second finds the other before it makes a sound.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from livekit import rtc

from agent.room_now import ListedAgent, LiveKitRoom, RoomNow, agent_name_of

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
# One answer may be wrong (livekit-behaviour 95): what it leaves out is looked for again.
_LOOK_AGAIN_SECONDS = 0.3
# So often is a LiveKit asked that does not answer; then the agent goes on talking.
_LOOKS_WHEN_UNKNOWN = 5

ROOM_HAS_ENDED = "the room has ended"
IS_THERE_ALREADY = "the agent is there already"
WAS_PUT_OUT = "the agent was put out of the room"
IS_REPLACED = "another agent has come meanwhile"
IS_NOT_WANTED = "the dispatch was taken back"


async def dispatch_stands(room: LiveKitRoom, dispatch_id: str) -> bool:
    """Say whether LiveKit lists a dispatch; True where nobody knows."""
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            return await room.has_dispatch(dispatch_id)
    except Exception as error:  # not known
        logger.warning("cannot look for the dispatch: %r", error, exc_info=True)
        return True


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place in a room that a job was made for.

    Attributes:
        room_sid: Which room of its name.
        agent_name: Under which name; "" where agents have none.
        identity: The job's own participant identity.
        dispatch_id: The dispatch that has brought the job.
    """

    room_sid: str
    agent_name: str
    identity: str
    dispatch_id: str


class RoomLife:
    """Says why an agent must stay out of its room, or leave it."""

    def __init__(
        self, place: Place, room: LiveKitRoom, look_again: float = _LOOK_AGAIN_SECONDS
    ) -> None:
        self._place, self._room, self._look_again = place, room, look_again

    async def reason_to_stay_out(self) -> str | None:
        """Say why our agent must not join; None when it may, or nobody knows."""
        is_wanted = asyncio.ensure_future(self._is_wanted())
        try:
            now = await self._look_twice_if(self._has_ended)
            if now and self._has_ended(now):
                return ROOM_HAS_ENDED
            if now and await self._living(self._others(now)):
                return IS_THERE_ALREADY
            # LiveKit puts out the agent of such a dispatch as soon as it has joined.
            return None if await is_wanted else IS_NOT_WANTED
        finally:
            is_wanted.cancel()

    async def reason_to_leave_it_to_the_other(self) -> str | None:
        """Say why our agent must leave where two have come; None if it is the one who stays.

        That is the elder of those that live, as the keeper has it where both dispatches stand.
        """
        now = await self._look_twice_if(lambda now: self._us(now) is None)
        us = self._us(now) if now else None
        if not now or not us:
            return None
        elder = [other for other in self._others(now) if other.seniority < us.seniority]
        return IS_THERE_ALREADY if await self._living(elder) else None

    async def reason_to_leave(self, first_sid: str) -> str | None:
        """Say why our agent, which was frozen or cut off, must leave; None if it goes on.

        Args:
            first_sid: Its participant sid when it joined.
        """
        now = await self._look_until_known()
        if now is None:
            return None
        if self._has_ended(now):
            return await self.reason_to_leave_room_that_ended(now)
        if not (us := self._us(now)):
            return WAS_PUT_OUT
        if await self._living(self._others(now)):
            return IS_REPLACED
        # Put out before the SDK joined anew, our agent has lost its dispatch too.
        return None if us.sid == first_sid or await self._is_wanted() else WAS_PUT_OUT

    async def reason_to_leave_room_that_ended(self, now: RoomNow | None = None) -> str | None:
        """Say that the room has ended; None if it has not, or nobody knows.

        Not where a human is in the room that has followed it: LiveKit was restarted in the middle
        of their call, and the SDK joins the new room of the old name by itself.
        """
        now = now or await self._look_twice_if(self._has_ended_for_all)
        return ROOM_HAS_ENDED if now and self._has_ended_for_all(now) else None

    async def has_human(self) -> bool:
        """Say whether LiveKit knows of a human in the room; no answer means no."""
        now = await self._look()
        return bool(now and now.has_human)

    async def has_nobody(self) -> bool:
        """Say whether LiveKit knows of no human in the room, asked twice; no answer means no."""
        now = await self._look_twice_if(lambda now: not now.has_human)
        return bool(now and not now.has_human)

    async def is_entered(self, room: rtc.Room) -> bool:
        """Say whether we are connected to that very room, and not to a later one of its name."""
        return await room.sid == self._place.room_sid

    def is_another_of_us(self, participant: rtc.RemoteParticipant) -> bool:
        """Say whether somebody in the room is an agent of our name."""
        name = agent_name_of(participant.kind, participant.attributes)
        return name == self._place.agent_name and participant.identity != self._place.identity

    async def _is_wanted(self) -> bool:
        """Say whether our dispatch stands, or nobody knows; as above an odd answer counts twice."""
        if await dispatch_stands(self._room, self._place.dispatch_id):
            return True
        await asyncio.sleep(self._look_again)
        return await dispatch_stands(self._room, self._place.dispatch_id)

    def _has_ended(self, now: RoomNow) -> bool:
        return now.sid != self._place.room_sid

    def _has_ended_for_all(self, now: RoomNow) -> bool:
        return self._has_ended(now) and not now.has_human

    def _us(self, now: RoomNow) -> ListedAgent | None:
        return next((one for one in now.agents if one.identity == self._place.identity), None)

    def _others(self, now: RoomNow) -> list[ListedAgent]:
        place = self._place
        return [
            one
            for one in now.agents
            if one.name == place.agent_name and one.identity != place.identity
        ]

    async def _living(self, agents: list[ListedAgent]) -> bool:
        """Say whether any of them lives: a crashed node's agents are listed for ever."""
        return any(await asyncio.gather(*(self._room.lives(one.identity) for one in agents)))

    async def _look_until_known(self) -> RoomNow | None:
        for _ in range(_LOOKS_WHEN_UNKNOWN):
            if now := await self._look_twice_if(
                lambda now: self._has_ended_for_all(now) or not self._us(now)
            ):
                return now
            await asyncio.sleep(self._look_again)
        return None

    async def _look_twice_if(self, is_odd: Callable[[RoomNow], bool]) -> RoomNow | None:
        """Look; and once more where the answer is odd, which counts only if seen again."""
        now = await self._look()
        if now and is_odd(now):
            await asyncio.sleep(self._look_again)
            now = await self._look()
        return now

    async def _look(self) -> RoomNow | None:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                return await self._room.look()
        except Exception as error:  # whatever the reason: unknown, and somebody may be waiting
            logger.warning("cannot look at the room: %r", error, exc_info=True)
            return None
