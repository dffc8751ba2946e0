"""Who in a room is a human, and that the agent leaves with the last of them, or if none comes."""

import asyncio
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Protocol

from livekit import rtc

from agent.background import start_task

# SIP is a phone call, CONNECTOR a WhatsApp or Twilio one; ingress, egress, agents and bridges
# are machines (livekit_models.proto, ParticipantInfo.Kind).
HUMAN_KINDS: Container[int] = {
    rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
    rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR,
}
# A page that reconnects under its own identity is gone and back within this time.
GRACE_SECONDS = 0.5
# LiveKit tells others of somebody who publishes nothing up to 3 s late (livekit-behaviour 46).
_UNSEEN_SECONDS = 3.0


def is_human(participant: rtc.Participant) -> bool:
    """Say whether somebody talks with us there: not hidden, and of a kind that people have."""
    return participant.kind in HUMAN_KINDS and not participant.permissions.hidden


@dataclass(frozen=True, kw_only=True)
class Pauses:
    """How long to wait, in seconds, before looking whether anybody is there.

    Attributes:
        grace: After somebody has left.
        unseen: For a human whom we do not see yet.
    """

    grace: float = GRACE_SECONDS
    unseen: float = _UNSEEN_SECONDS


class KnownHumans(Protocol):
    """LiveKit, asked for humans: it knows of them before we see them.

    A page that was reloaded is back before its leaving is announced, and an agent that then leaves
    lets somebody down who is there.
    """

    async def has_human(self) -> bool:
        """Say whether LiveKit knows of a human in the room; no answer means no."""

    async def has_nobody(self) -> bool:
        """Say whether LiveKit is sure to know of none; no answer means no."""


class LeaveWithLastHuman:
    """Calls `leave` soon after the last human has left; an agent that came first waits."""

    def __init__(
        self,
        room: rtc.Room,
        leave: Callable[[], None],
        known: KnownHumans,
        pauses: Pauses = Pauses(),
    ) -> None:
        self._room, self._leave, self._known, self._pauses = room, leave, known, pauses
        self._somebody_left = False
        self._looking: asyncio.Task[None] | None = None
        room.on("participant_disconnected", self._on_participant_disconnected)
        room.on("reconnected", self._look_soon)

    def expect_somebody(self) -> None:
        """Also leave if no human is there at all (livekit-behaviour 97): ours has gone again."""
        start_task(self._leave_if_nobody_comes(), "looking for the first human")

    async def _leave_if_nobody_comes(self) -> None:
        while not self._sees_human():
            await asyncio.sleep(self._pauses.unseen)
            if self._seems_empty() and await self._known.has_nobody():
                self._leave()
                return

    def _on_participant_disconnected(self, participant: rtc.RemoteParticipant) -> None:
        if is_human(participant):
            self._somebody_left = True
            self._look_soon()

    def _look_soon(self) -> None:
        if self._looking is None or self._looking.done():
            # The next leaving looks anew if this fails; and the room itself ends without humans.
            self._looking = start_task(self._leave_when_alone(), "looking for humans")

    async def _leave_when_alone(self) -> None:
        pause = self._pauses.grace
        while True:
            await asyncio.sleep(pause)
            if not self._somebody_left or not self._seems_empty():
                return
            if not await self._known.has_human():
                self._leave()
                return
            pause = self._pauses.unseen

    def _seems_empty(self) -> bool:
        # A client that joins anew after a broken connection sees everybody leave and come back.
        is_connected = self._room.connection_state == rtc.ConnectionState.CONN_CONNECTED
        return is_connected and not self._sees_human()

    def _sees_human(self) -> bool:
        return any(map(is_human, self._room.remote_participants.values()))
