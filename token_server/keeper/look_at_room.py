"""One look at one room: observe, decide, act, until there is nothing more to do right now.

All I/O goes through the rooms port. An error ends the look: what is unknown leads to nothing.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from token_server.keeper.attendance import (
    Action,
    Attendance,
    CreateDispatch,
    DeleteDispatch,
    RemoveAgent,
    Settled,
    Wait,
    decide,
    reason_of,
)
from token_server.keeper.last_seen_agents import LastSeenAgents
from token_server.keeper.observed_room import LookReport, Observed, View, agents_of
from token_server.keeper.wanted_agents import Policy, wants
from token_server.livekit.rooms import Dispatch, Participant, Rooms
from token_server.state.timeline import NOT_KEPT, EntryDetails, Event, Timeline
from token_server.tokens.tickets import TicketSealer

logger = logging.getLogger(__name__)

# Acts per look. One delete and one create are usual; more means that others act as well.
_MOST_ROUNDS = 8
# Seconds. Another actor holds the room for a few calls to LiveKit.
_ROOM_IS_HELD = 0.05
# An agent that was dispatched is looked for this often, so that its leaving is noticed too.
_WAITING_GAP = 1.0
_CLOCK_SLACK = 0.02


class RoomLocks(Protocol):
    """One actor a room, as far as possible."""

    def hold_room(self, room_name: str) -> AbstractContextManager[bool]:
        """Hold a room while in the block; False if another actor has it now."""


class Looker:
    """Looks at rooms, from any thread."""

    def __init__(
        self,
        rooms: Rooms,
        locks: RoomLocks,
        sealer: TicketSealer,
        policy: Policy,
        timeline: Timeline = NOT_KEPT,
    ) -> None:
        self._rooms, self._locks, self._sealer, self._policy = rooms, locks, sealer, policy
        self._timeline = timeline
        self.sightings = LastSeenAgents()
        self._unfinished: dict[str, dict[str, str]] = {}  # by room: dispatches, agents' names

    def look(self, room_name: str) -> LookReport:
        """Bring the room as near to attended as can be done now.

        Raises:
            TokenServerError: LiveKit did not answer; the room has to be looked at again.
        """
        created = self._unfinished.pop(room_name, {})
        try:
            return self._look(room_name, created)
        except BaseException:
            # What a look made that then met an error is still ours to take back.
            if created:
                self._unfinished[room_name] = created
            raise

    def _look(self, room_name: str, created: dict[str, str]) -> LookReport:
        everything: list[tuple[Action, Attendance]] = []
        with self._locks.hold_room(room_name) as is_held:
            for _ in range(_MOST_ROUNDS):
                view = self._observe(room_name, created)
                decided = [(decide(seen), seen) for seen in view.attendances]
                acts = [pair for pair in decided if not isinstance(pair[0], Settled | Wait)]
                if acts and not is_held:
                    return _report(_ROOM_IS_HELD, view)
                everything += decided
                if not acts:
                    return _report(_again_in(decided), view, everything)
                for action, seen in acts:
                    created.update(self._act(room_name, action, seen))
        return _report(_WAITING_GAP, view, everything)

    def _observe(self, room_name: str, created: Mapping[str, str]) -> View:
        # Before the participants: a webhook may meanwhile tell of an agent that is not among them.
        known = self.sightings.of(room_name)
        participants = self._rooms.list_participants(room_name)
        wanted = wants(room_name, participants, self._sealer, self._policy)
        ours = {*self._policy.agent_names, *(want.order.agent_name for want in wanted)}
        here = self._sight(room_name, [p for p in agents_of(participants) if p.agent_name in ours])
        last_joined = {name: at for name, at in (known | here).items() if name in ours}
        names = {want.order.agent_name for want in wanted} | last_joined.keys()
        names.update(created.values())
        there = {participant.agent_name for participant in agents_of(participants)}
        # The second call only when something may have to be done: most looks are done with one.
        dispatches = self._dispatches(room_name, participants) if created or names - there else ()
        observed = Observed(participants, wanted, last_joined, dispatches, frozenset(created))
        return observed.view(names, self._rooms.now())

    def _dispatches(
        self, room_name: str, participants: Sequence[Participant]
    ) -> Sequence[Dispatch]:
        """List the room's dispatches, if it is there: else it takes 3 s (livekit-behaviour 5)."""
        if not participants and not self._rooms.list_rooms([room_name]):
            self.sightings.forget(room_name)
            return ()
        return self._rooms.list_dispatches(room_name)

    def _sight(self, room_name: str, agents: Sequence[Participant]) -> dict[str, datetime]:
        """Remember the agents that are here, and return when each of them joined.

        Only agents that we may send: the dispatches of others are none of our business.
        """
        for agent in agents:
            self.sightings.note(room_name, agent)
        return {agent.agent_name: agent.joined_at for agent in agents}

    def _act(self, room_name: str, action: Action, seen: Attendance) -> dict[str, str]:
        """Do what was decided; return the dispatches that this created, with the agent's name."""
        created, is_done = {}, True
        noted: EntryDetails = {"agent_name": seen.order.agent_name, "reason": reason_of(action)}
        match action:
            case CreateDispatch(order=order):
                dispatch = self._rooms.create_dispatch(room_name, order)
                created[dispatch.dispatch_id] = order.agent_name
                noted["dispatch_id"] = dispatch.dispatch_id
                event, subject = Event.DISPATCHED, dispatch.dispatch_id
            case DeleteDispatch(dispatch_id=dispatch_id):
                is_done = self._rooms.delete_dispatch(room_name, dispatch_id)
                noted["dispatch_id"] = dispatch_id
                event, subject = Event.DISPATCH_DELETED, dispatch_id
            case RemoveAgent(participant_identity=identity):
                is_done = self._rooms.remove_participant(room_name, identity)
                noted["participant_identity"] = identity
                event, subject = Event.AGENT_REMOVED, ""
            case Settled() | Wait():
                return created
        if is_done:
            self._timeline.note(room_name, event, subject=subject, **noted)
        waited = (seen.now - seen.waiting_since).total_seconds() if seen.waiting_since else 0.0
        logger.info(
            type(action).__name__,
            extra={
                "room": room_name,
                "agent": seen.order.agent_name,
                "reason": action.reason,
                "outcome": "done" if is_done else "gone before",
                "waited_seconds": round(max(waited, 0.0), 3),
            },
        )
        return created


def _report(
    again_in: float | None, view: View, decided: Sequence[tuple[Action, Attendance]] = ()
) -> LookReport:
    return LookReport(
        again_in, view.tickets, tuple(decided), view.waited, view.participants, view.missing
    )


def _again_in(decided: Sequence[tuple[Action, Attendance]]) -> float | None:
    """Return when a decision to wait ends, or earlier to see the agent come; None if none waits."""
    waits = [
        min((action.until - seen.now).total_seconds() + _CLOCK_SLACK, _WAITING_GAP)
        for action, seen in decided
        if isinstance(action, Wait)
    ]
    return max(min(waits), _CLOCK_SLACK) if waits else None
