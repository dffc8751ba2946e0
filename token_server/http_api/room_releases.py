"""An operator takes a call over: its humans are released, and their agent leaves.

The decision is plan_release's (keeper/releases.py). Whatever fails ends it; what is done by then
stays done, and the next request does the rest.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import Field

from token_server.errors import LiveKitUnavailableError, UnknownRoomError
from token_server.keeper.releases import (
    HumanRelease,
    ReleasePlan,
    ReleaseRequest,
    RoomContent,
    plan_release,
    wants_of_all,
)
from token_server.keeper.room_locks import RoomLocks
from token_server.keeper.wanted_agents import Policy
from token_server.livekit.port import Dispatch, LiveKit, Participant
from token_server.state.timeline import Event, Timeline
from token_server.tokens.tickets import TicketSealer

logger = logging.getLogger(__name__)

Work = TypeVar("Work")

# Seconds for all that is asked of LiveKit; one call may take five more (twirp.py).
_SECONDS = 15.0
# Seconds. A look has a room for a few calls to LiveKit.
_HOLD_WITHIN, _HOLD_AGAIN = 1.0, 0.05
_REASON = "an operator has taken the call over"


@dataclass(frozen=True, kw_only=True)
class ReleasedHuman:
    """A human, and the agent that nobody sends for them any more."""

    participant_identity: str
    agent_name: str


@dataclass(frozen=True, kw_only=True)
class ReleaseAnswer:
    """What an operator is told of a release."""

    room_name: str
    released: Annotated[
        list[ReleasedHuman],
        Field(description="Who is released now, those of an earlier request included."),
    ]
    dispatches_deleted: Annotated[int, Field(description="What was taken back this time.")]
    agents_removed: Annotated[
        int, Field(description="Agents put out this time that came of no dispatch known.")
    ]


@dataclass(frozen=True, kw_only=True)
class RoomReleases:
    """Releases the humans of rooms, when operators ask for it.

    Attributes:
        livekit: LiveKit.
        locks: So that no look sends an agent meanwhile, as far as possible.
        sealer: Opens tickets, and makes marks.
        policy: Which agents humans may want.
        timeline: Where it is noted.
        seconds: How long one release may take.
    """

    livekit: LiveKit
    locks: RoomLocks
    sealer: TicketSealer
    policy: Policy
    timeline: Timeline
    seconds: float = _SECONDS

    def release(self, room_name: str, request: ReleaseRequest) -> ReleaseAnswer:
        """Release humans of a room, and let the agents go that nobody else wants.

        Raises:
            UnknownRoomError: There is no such live room.
            LiveKitUnavailableError: LiveKit did not answer, or not in time for all.
        """
        end = time.monotonic() + self.seconds
        if not self.livekit.list_rooms([room_name]):
            raise UnknownRoomError("room_name is not a live room")
        with self._hold(room_name):
            answer = self._carry_out(room_name, self._plan(room_name, request), end)
        logger.info(
            "Release",
            extra={
                "room": room_name,
                "released": len(answer.released),
                "dispatches_deleted": answer.dispatches_deleted,
                "agents_removed": answer.agents_removed,
            },
        )
        return answer

    def _plan(self, room_name: str, request: ReleaseRequest) -> ReleasePlan:
        room = RoomContent(
            room_name=room_name,
            participants=self.livekit.list_participants(room_name),
            dispatches=self.livekit.list_dispatches(room_name),
        )
        wanted = wants_of_all(room_name, room.participants, self.sealer, self.policy)
        return plan_release(room, wanted, request, self.sealer)

    def _carry_out(self, room_name: str, plan: ReleasePlan, end: float) -> ReleaseAnswer:
        marked = [each for each in _until(end, plan.humans) if self._mark(room_name, each)]
        deleted = [each for each in _until(end, plan.dispatches) if self._delete(room_name, each)]
        removed = [each for each in _until(end, plan.agents) if self._remove(room_name, each)]
        return ReleaseAnswer(
            room_name=room_name,
            released=[
                ReleasedHuman(
                    participant_identity=each.human.participant_identity, agent_name=each.agent_name
                )
                for each in marked
            ],
            dispatches_deleted=len(deleted),
            agents_removed=len(removed),
        )

    def _mark(self, room_name: str, release: HumanRelease) -> bool:
        """Mark a human, who may be marked already; False if they have left meanwhile."""
        if not release.attributes:
            return True
        identity = release.human.participant_identity
        if not self.livekit.set_attributes(room_name, identity, release.attributes):
            return False
        self.timeline.note(
            room_name,
            Event.RELEASED,
            subject=release.human.participant_sid,
            participant_identity=identity,
            agent_name=release.agent_name,
            reason=_REASON,
        )
        return True

    def _delete(self, room_name: str, dispatch: Dispatch) -> bool:
        is_done = self.livekit.delete_dispatch(room_name, dispatch.dispatch_id)
        if is_done:
            self.timeline.note(
                room_name,
                Event.DISPATCH_DELETED,
                subject=dispatch.dispatch_id,
                dispatch_id=dispatch.dispatch_id,
                agent_name=dispatch.agent_name,
                reason=_REASON,
            )
        return is_done

    def _remove(self, room_name: str, agent: Participant) -> bool:
        is_done = self.livekit.remove_participant(room_name, agent.participant_identity)
        if is_done:
            self.timeline.note(
                room_name,
                Event.AGENT_REMOVED,
                participant_identity=agent.participant_identity,
                agent_name=agent.agent_name,
                reason=_REASON,
            )
        return is_done

    @contextmanager
    def _hold(self, room_name: str) -> Iterator[None]:
        """Hold the room; after a while go on without, since the lock never decides."""
        give_up = time.monotonic() + _HOLD_WITHIN
        while True:
            with self.locks.hold_room(room_name) as is_held:
                if is_held or time.monotonic() >= give_up:
                    yield
                    return
            time.sleep(_HOLD_AGAIN)


def _until(end: float, works: Iterable[Work]) -> Iterator[Work]:
    """Hand out one work after the other, as long as there is time."""
    for work in works:
        if time.monotonic() >= end:
            raise LiveKitUnavailableError(
                "LiveKit was too slow to do all of it in time: ask again for the rest"
            )
        yield work
