"""One look at one room: observe, decide, act, until there is nothing more to do right now.

All I/O goes through the port. An error ends the look: what is unknown leads to nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from token_server.keeper.acts import Acts
from token_server.keeper.agent_life import DeadAgent, Death
from token_server.keeper.attendance import (
    Action,
    Attendance,
    CreateDispatch,
    RemoveAgent,
    Settled,
    Wait,
)
from token_server.keeper.decisions import decide, one_that_stays_and_one_that_goes
from token_server.keeper.first_sends import FirstSends
from token_server.keeper.known_workers import WorkerNews, worker_news
from token_server.keeper.last_seen_agents import LastSeen, LastSeenAgents
from token_server.keeper.observed_room import (
    LookReport,
    Observed,
    View,
    agents_of,
    report,
)
from token_server.keeper.room_locks import RoomLocks
from token_server.keeper.usual_times import UsualTimes
from token_server.keeper.wanted_agents import Policy, Want, Wishes
from token_server.livekit.pace import Purpose
from token_server.livekit.port import Dispatch, LiveKit, Participant
from token_server.state.timeline import NOT_KEPT, Timeline
from token_server.state.workers import WorkerBook
from token_server.tokens.tickets import TicketSealer

# Acts per look. One delete and one create are usual; more means that others act as well.
_MOST_ROUNDS = 8
# Seconds. Another actor holds the room for a few calls to LiveKit.
_ROOM_IS_HELD = 0.05
# An agent that was dispatched is looked for this often, so that its leaving is noticed too.
_WAITING_GAP = 1.0
# Seconds from a dispatch that was made unasked to the look that sees whether it is the only one.
_VERIFIED_AFTER = 0.3
_CLOCK_SLACK = 0.02


class Lives(Protocol):
    """Which agents live: a LifeWatch, or nobody knows."""

    def dead(self, room_name: str) -> Sequence[DeadAgent]:
        """Return the agents of a room that were found dead."""

    def heard_within(self, room_name: str, agent_name: str, seconds: float) -> bool:
        """Whether an agent of this name has given a sign of life within so many seconds."""

    def seems_dead(self, room_name: str, agent: Participant) -> bool:
        """Ask an agent, unless it has answered lately; what is not known is no death."""


class Looker:
    """Looks at rooms, from any thread."""

    def __init__(  # noqa: PLR0913, PLR0917 (everything arrives as an argument)
        self,
        livekit: LiveKit,
        locks: RoomLocks,
        sealer: TicketSealer,
        policy: Policy,
        lives: Lives,
        timeline: Timeline = NOT_KEPT,
        *,
        workers: WorkerBook | None = None,
        first_sends: FirstSends | None = None,
    ) -> None:
        self._livekit, self._locks, self._sealer, self._policy = livekit, locks, sealer, policy
        self._lives, self._workers, self._first = lives, workers, first_sends
        self.sightings = LastSeenAgents()
        self._usual_times = UsualTimes()
        self._acts = Acts(livekit, timeline, self.sightings)
        self._unfinished: dict[str, dict[str, str]] = {}  # by room: dispatches, agents' names
        self._unasked: dict[str, frozenset[str]] = {}  # by room: until a look has verified them

    def room_made(self, room_name: str) -> None:
        """Know that this process has just made a room."""
        if self._first:
            self._first.made(room_name)

    def room_ended(self, room_name: str) -> None:
        """Know that a room is no more, from a webhook."""
        if self._first:
            self._first.ended(room_name)

    def peek(self, room_name: str) -> bool:
        """Whether nobody is in a room.

        Raises:
            TokenServerError: LiveKit did not answer.
        """
        asked_at = self._first.monotonic() if self._first else 0.0
        is_empty = not self._livekit.has_participants(room_name)
        if is_empty and self._first:
            self._first.saw_nobody(room_name, asked_at)
        return is_empty

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
        removed: list[RemoveAgent] = []
        with self._locks.hold_room(room_name) as is_held:
            for _ in range(_MOST_ROUNDS):
                view = self._observe(room_name, created, is_held=is_held)
                sure = [self._make_sure(room_name, seen) for seen in view.attendances]
                decided = [(decide(seen), seen) for seen in sure]
                acts = [pair for pair in decided if not isinstance(pair[0], Settled | Wait)]
                if acts and not is_held:
                    if created:
                        # Who holds it does not know what is ours to take back.
                        self._unfinished[room_name] = created
                    return report(_ROOM_IS_HELD, view)
                everything += decided
                self._usual_times.looked(room_name, decided)
                if not acts:
                    self._unasked.pop(room_name, None)
                    self._acts.tell_humans(room_name, view.news)
                    return report(_again_in(decided), view, everything, removed, Purpose.AGAIN)
                self._note_sending(room_name, acts, view)
                for action, seen in acts:
                    created.update(self._acts.do(room_name, action, seen, removed))
                if view.is_unasked:
                    # Whether it is the only one, and wanted yet, is for the next look.
                    self._unasked[room_name] = frozenset(created)
                    self._unfinished[room_name] = created
                    return report(_VERIFIED_AFTER, view, everything, removed)
        return report(_WAITING_GAP, view, everything, removed, Purpose.AGAIN)

    def _note_sending(
        self, room_name: str, acts: Iterable[tuple[Action, Attendance]], view: View
    ) -> None:
        """Let whoever shares the room's lock know that an agent is sent; a claim has noted it."""
        is_sent = any(isinstance(action, CreateDispatch) for action, _ in acts)
        if self._first and is_sent and not view.is_unasked:
            self._first.note(room_name)

    def _observe(self, room_name: str, created: Mapping[str, str], *, is_held: bool) -> View:
        # Before the participants: a webhook may meanwhile tell of an agent that is not among them.
        known = self.sightings.of(room_name)
        listed = self._livekit.list_participants(room_name)
        participants = [p for p in listed if not self._acts.has_put_out(p)]
        now = self._livekit.now()
        wishes = Wishes(room_name, participants, self._sealer, self._policy)
        # The second call only when something may have to be done: most looks need one.
        is_asked = bool(created or wishes.without_ticket)
        dispatches = self._dispatches(room_name, participants) if is_asked else ()
        wanted, released = wishes.wanted(dispatches), wishes.released(dispatches)
        names = {want.order.agent_name for want in wanted} | released
        self.sightings.want(room_name, names)
        names.update(created.values(), (name for name, last in known.items() if last.is_ours))
        agents = [agent for agent in agents_of(participants) if agent.agent_name in names]
        absent = names - {agent.agent_name for agent in agents}
        is_unasked = not is_asked and is_held and self._is_first(room_name, wanted, listed, known)
        is_known = is_asked or is_unasked
        if not is_known and (absent or self._are_too_many(room_name, names, agents)):
            dispatches = self._dispatches(room_name, participants)
        unproven = self._unproven(room_name, absent, known, now)
        known = self.sightings.with_leavings(room_name, known)
        waited_for = [w.order.agent_name for w in wanted if w.order.agent_name in absent]
        observed = Observed(
            now=now,
            participants=participants,
            wanted=wanted,
            released=released,
            unwritten=wishes.unwritten(dispatches),
            dispatches=dispatches,
            last_seen=known | self._sight(room_name, agents, known),
            created=frozenset(created),
            unasked=self._unasked.get(room_name, frozenset()),
            dead=self._lives.dead(room_name),
            unproven=unproven,
            hedging={name: self._usual_times.hedging(name, now) for name in waited_for},
            workers=self._worker_news(waited_for, dispatches, now),
        )
        return replace(observed.view(names), is_unasked=is_unasked)

    def _is_first(
        self,
        room_name: str,
        wanted: Sequence[Want],
        listed: Sequence[Participant],
        known: Mapping[str, LastSeen],
    ) -> bool:
        """Whether somebody waits where nobody can have sent an agent yet."""
        has_had_one = bool(agents_of(listed)) or any(last.agent for last in known.values())
        if self._first is None or has_had_one or not wanted:
            return False
        return self._first.claim(room_name)

    def _make_sure(self, room_name: str, seen: Attendance) -> Attendance:
        """See that of two agents the one that stays lives, and that the other can be put out.

        LiveKit lists the participants of a crashed node for ever (livekit-behaviour 95), and
        another process may have sent for the next one.
        """

        def seems_dead(agent: Participant) -> bool:
            return self._lives.seems_dead(room_name, agent)

        while ghost := next(filter(seems_dead, one_that_stays_and_one_that_goes(seen)), None):
            dead = DeadAgent(participant=ghost, death=Death.GONE, since=seen.now)
            others = tuple(agent for agent in seen.agents if agent is not ghost)
            seen = replace(seen, agents=others, dead=(*seen.dead, dead))
        return seen

    def _are_too_many(
        self, room_name: str, names: Collection[str], agents: Sequence[Participant]
    ) -> bool:
        """Whether two agents of a name are here, or another one may be on its way."""
        here = [agent.agent_name for agent in agents]
        return any(
            here.count(name) > 1 or self._usual_times.has_hedged(room_name, name) for name in names
        )

    def _unproven(
        self, room_name: str, absent: Collection[str], known: Mapping[str, LastSeen], now: datetime
    ) -> set[str]:
        """Name the agents that the answer leaves out, and that may be there all the same."""
        told = self.sightings.of(room_name)

        def is_proven(agent_name: str) -> bool:
            if told.get(agent_name, LastSeen()).sid != known.get(agent_name, LastSeen()).sid:
                return False  # it has come since we asked, and the answer may be older
            return self.sightings.is_absence_proven(
                room_name,
                agent_name,
                now,
                lambda seconds: self._lives.heard_within(room_name, agent_name, seconds),
            )

        return {agent_name for agent_name in absent if not is_proven(agent_name)}

    def _worker_news(
        self, agent_names: Sequence[str], dispatches: Sequence[Dispatch], now: datetime
    ) -> dict[str, WorkerNews]:
        if self._workers is None or not agent_names:
            return {}
        told = self._workers.told()
        return {name: worker_news(told, name, dispatches, now) for name in agent_names}

    def _dispatches(
        self, room_name: str, participants: Sequence[Participant]
    ) -> Sequence[Dispatch]:
        """List the room's dispatches, if it is there: else it takes 3 s (livekit-behaviour 5)."""
        if not participants and not self._livekit.list_rooms([room_name]):
            self.sightings.forget(room_name)
            return ()
        return self._livekit.list_dispatches(room_name)

    def _sight(
        self, room_name: str, agents: Sequence[Participant], known: Mapping[str, LastSeen]
    ) -> dict[str, LastSeen]:
        """Remember the agents that are here, and return them by name."""
        self.sightings.see(room_name, agents)
        return {
            agent.agent_name: replace(
                known.get(agent.agent_name, LastSeen()), agent=agent, left_at=None
            )
            for agent in agents
        }


def _again_in(decided: Sequence[tuple[Action, Attendance]]) -> float | None:
    """Return when a decision to wait ends, or earlier to see the agent come; None if none waits."""
    waits = [
        min((action.until - seen.now).total_seconds() + _CLOCK_SLACK, _WAITING_GAP)
        for action, seen in decided
        if isinstance(action, Wait)
    ]
    return max(min(waits), _CLOCK_SLACK) if waits else None
