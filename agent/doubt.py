"""An agent that may have been replaced says nothing until it knows; then it leaves or goes on.

Who was frozen or cut off for a while is dead to the keeper, which has put it out and sent another.
"""

import asyncio
from collections.abc import Awaitable, Callable

from livekit import rtc

from agent.background import start_task
from agent.room_life import RoomLife
from agent.track import Track

_LOOK_AGAIN_SECONDS = 0.3
# One that fails has said so, and whoever doubts again looks again.
_LOOKING = "looking for another agent"


class Doubt:
    """Looks whether our agent is still the one, whenever it may not be, and leaves if not."""

    def __init__(
        self, room: rtc.Room, track: Track, life: RoomLife, leave: Callable[[str], None]
    ) -> None:
        self._room, self._track, self._life, self._leave = room, track, life, leave
        self._first_sid = room.local_participant.sid
        self._doubts = 0
        self._has_left = False
        room.on("reconnecting", self.arise)
        room.on("reconnected", self.arise)
        room.on("participant_connected", self._on_participant_connected)

    def arise(self) -> None:
        """Be silent at once, and look."""
        self._doubts += 1
        self._track.hush()
        if self._doubts == 1:
            start_task(self._dispel(), _LOOKING)

    def _on_participant_connected(self, participant: rtc.RemoteParticipant) -> None:
        if self._life.is_another_of_us(participant):
            start_task(self._leave_if(self._life.reason_to_leave_it_to_the_other()), _LOOKING)

    async def _dispel(self) -> None:
        try:
            seen = 0
            while seen != self._doubts and not self._has_left:
                seen = self._doubts
                await self._look()
        finally:
            self._doubts = 0
            if not self._has_left:
                self._track.speak_again()

    async def _look(self) -> None:
        while self._room.connection_state == rtc.ConnectionState.CONN_RECONNECTING:
            await self._leave_if(self._life.reason_to_leave_room_that_ended())
            if self._has_left:
                return
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        await self._leave_if(self._life.reason_to_leave(self._first_sid))

    async def _leave_if(self, finding: Awaitable[str | None]) -> None:
        if (reason := await finding) and not self._has_left:
            self._has_left = True
            self._track.hush()
            self._leave(reason)
