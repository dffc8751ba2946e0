"""What LiveKit's answers about one room add up to. Pure, no I/O."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from token_server.keeper.agent_life import DeadAgent
from token_server.keeper.attendance import Action, Attendance, RemoveAgent
from token_server.keeper.failures import fewest_failures
from token_server.keeper.hedging import NOTHING_LEARNT, Hedging
from token_server.keeper.known_workers import NOTHING_TOLD, WorkerNews
from token_server.keeper.last_seen_agents import LastSeen
from token_server.keeper.phone_callers import Caller, callers_of
from token_server.keeper.schedule import Looked
from token_server.keeper.wanted_agents import Want
from token_server.livekit.pace import Purpose
from token_server.livekit.port import AgentOrder, Dispatch, Participant, ParticipantKind
from token_server.tokens.tickets import TICKET_ATTRIBUTE

# What a page sees of its agent's state, among its own human's attributes (docs/frontends.md).
AGENT_STATE_ATTRIBUTE = "token_server.agent"
REPLACING = "replacing"

# Seconds. A phone rings until its agent can be heard, so this is looked for more often than whether
# an agent has come.
_UNHEARD_GAP = 0.5

# By the sealed tickets of the humans in a room: the seconds from a human's join to that of their
# agent; None if it is not there.
Waited = dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class View:
    """What one observation of a room has shown.

    Attributes:
        attendances: By wanted agent.
        participants: Who is listed.
        tickets: The sealed tickets of the humans among them.
        waited: How long they have waited.
        news: The attributes that humans are to have and do not have yet, by identity.
        callers: The humans on a phone who want an agent.
        is_unasked: Whether the dispatches were not asked for: nobody can have made any.
    """

    attendances: tuple[Attendance, ...] = ()
    participants: tuple[Participant, ...] = ()
    tickets: frozenset[str] = frozenset()
    waited: Waited = field(default_factory=dict)
    news: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    callers: tuple[Caller, ...] = ()
    is_unasked: bool = False

    @property
    def missing(self) -> tuple[Attendance, ...]:
        """What it shows about the agents that a human waits for; on a phone, to hear."""
        unheard = {caller.agent_name for caller in self.callers if caller.agent_after is None}
        return tuple(
            seen
            for seen in self.attendances
            if seen.waiting_since and (not seen.agents or seen.order.agent_name in unheard)
        )

    @property
    def watched(self) -> tuple[Participant, ...]:
        """The agents that a human has, or waits for: each is to show that it lives."""
        return tuple(
            agent
            for seen in self.attendances
            if seen.waiting_since
            for agent in (*seen.agents, *(dead.participant for dead in seen.dead))
        )

    @property
    def has_human(self) -> bool:
        """Whether anybody is in the room."""
        return any(p.kind is ParticipantKind.HUMAN for p in self.participants)


@dataclass(frozen=True)
class LookReport(Looked):
    """A look, for the schedule and for those who count.

    Attributes:
        decided: What was decided, in order, and from what; nothing where another actor held the
            room and something was to be done: that one decides the same.
        removed: The agents that were put out.
        view: What was last observed.
    """

    decided: tuple[tuple[Action, Attendance], ...] = ()
    removed: tuple[RemoveAgent, ...] = ()
    view: View = field(default_factory=View)


def report(
    again_in: float | None,
    view: View,
    decided: Sequence[tuple[Action, Attendance]] = (),
    removed: Sequence[RemoveAgent] = (),
    purpose: Purpose = Purpose.WAITING,
) -> LookReport:
    """Sum up a look that ends with this view."""
    again_in = _soon_if_unheard(again_in, view)
    return LookReport(again_in, view.tickets, purpose, tuple(decided), tuple(removed), view)


def _soon_if_unheard(again_in: float | None, view: View) -> float | None:
    """Look again soon while a phone rings although its agent is there: it does until it hears."""
    if not any(seen.agents for seen in view.missing):
        return again_in
    return _UNHEARD_GAP if again_in is None else min(again_in, _UNHEARD_GAP)


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What one observation is made of: LiveKit's answers, and what this process knows.

    Attributes:
        now: LiveKit's time.
        participants: Who is listed, but for those who were put out and that LiveKit lists for ever.
        wanted: Which agents the humans among them want.
        released: The agents that are done with a human among them.
        unwritten: The tickets that humans among them are to have, by identity.
        dispatches: The room's; none where nothing is to be done about them.
        last_seen: What is known of the last agent of each name.
        created: The dispatches that the look has made.
        unasked: Those that were made without asking what stood, and not verified yet.
        dead: The agents that do not live.
        unproven: The names of agents whose absence may be a stale answer.
        hedging: When a dispatch of each wanted name is late.
        workers: What workers of each wanted name have told.
    """

    now: datetime
    participants: Sequence[Participant]
    wanted: Sequence[Want]
    released: Container[str] = frozenset()
    unwritten: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    dispatches: Sequence[Dispatch] = ()
    last_seen: Mapping[str, LastSeen] = field(default_factory=dict)
    created: frozenset[str] = frozenset()
    unasked: frozenset[str] = frozenset()
    dead: Sequence[DeadAgent] = ()
    unproven: Container[str] = frozenset()
    hedging: Mapping[str, Hedging] = field(default_factory=dict)
    workers: Mapping[str, WorkerNews] = field(default_factory=dict)

    def view(self, agent_names: Iterable[str]) -> View:
        """Say what it shows about these agents."""
        attendances = tuple(self._attendance(name) for name in sorted(agent_names))
        return View(
            attendances=attendances,
            participants=tuple(self.participants),
            tickets=frozenset(p.attributes.get(TICKET_ATTRIBUTE, "") for p in self.participants),
            waited=self._waited(),
            news=self._news(attendances),
            callers=callers_of(self.wanted, attendances, self.participants, self.now),
        )

    def _attendance(self, agent_name: str) -> Attendance:
        """Pick out what concerns one agent."""
        want = next((w for w in self.wanted if w.order.agent_name == agent_name), None)
        dead = {each.participant.participant_sid: each for each in self.dead}
        listed = agents_named(agent_name, self.participants)
        sids = [agent.participant_sid for agent in listed]
        last = self.last_seen.get(agent_name, LastSeen())
        humans = want.humans if want else ()
        return Attendance(
            now=self.now,
            order=want.order if want else AgentOrder(agent_name=agent_name),
            waiting_since=want.since if want else None,
            humans=humans,
            is_released=agent_name in self.released,
            agents=tuple(agent for agent in listed if agent.participant_sid not in dead),
            dead=tuple(dead[sid] for sid in sids if sid in dead),
            dispatches=tuple(d for d in self.dispatches if d.agent_name == agent_name),
            last_agent=last.agent,
            left_at=last.left_at,
            departed=last.departed,
            failures=fewest_failures(humans, self.now),
            created_by_us=self.created,
            unasked=self.unasked,
            is_absence_proven=agent_name not in self.unproven,
            hedging=self.hedging.get(agent_name, NOTHING_LEARNT),
            workers=self.workers.get(agent_name, NOTHING_TOLD),
        )

    def _news(self, attendances: Sequence[Attendance]) -> dict[str, Mapping[str, str]]:
        """Say whose agent is being replaced, or is there again, and who does not know yet."""
        news = dict(self.unwritten)
        for seen in attendances:
            for human in seen.humans:
                identity, state = human.participant_identity, _state(seen, human)
                told = human.attributes.get(AGENT_STATE_ATTRIBUTE, "")
                if state is not None and state != told:
                    news[identity] = {**news.get(identity, {}), AGENT_STATE_ATTRIBUTE: state}
        return news

    def _waited(self) -> Waited:
        waited: Waited = {}
        for want in self.wanted:
            agents = agents_named(want.order.agent_name, self.participants)
            came_at = [agent.joined_at for agent in agents]
            for human in want.humans:
                seconds = (min(came_at) - human.joined_at).total_seconds() if came_at else None
                ticket = human.attributes.get(TICKET_ATTRIBUTE, "")
                waited[ticket] = None if seconds is None else max(seconds, 0.0)
        return waited


def agents_of(participants: Sequence[Participant]) -> list[Participant]:
    """Return the agents among those in a room."""
    return [p for p in participants if p.kind is ParticipantKind.AGENT]


def agents_named(agent_name: str, participants: Sequence[Participant]) -> list[Participant]:
    """Return the agents of this name among those in a room."""
    return [agent for agent in agents_of(participants) if agent.agent_name == agent_name]


def _state(seen: Attendance, human: Participant) -> str | None:
    """Return what a human is to be told of their agent; None while it is not known."""
    if seen.agents:
        return ""
    # A process that has not seen the agent knows nothing: another one has told what it knows.
    had_one = seen.last_agent and seen.last_agent.joined_at >= human.joined_at
    return REPLACING if had_one and seen.is_absence_proven else None
