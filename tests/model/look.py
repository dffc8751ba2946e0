"""What one look knows: the last answers to its own questions, and what webhooks have told."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace

from shared_settings.agent_signs import DISPATCH_ATTRIBUTE
from tests.model.keepers import AGENT, PHONE_ROOM, SEALER
from tests.model.world import LiveRoom
from token_server.livekit.port import Dispatch, Participant, ParticipantKind
from token_server.tokens.tickets import TICKET_ATTRIBUTE

# Seconds. Answers further apart than this do not prove each other.
_ANSWERS_APART = 5.0


@dataclass
class Look:
    """What one look knows: its last answers; None where there was an error, or no question."""

    room_name: str
    participants: Sequence[Participant] | None = None
    dispatches: Sequence[Dispatch] | None = None
    created: set[str] = field(default_factory=set)
    entered: set[str] = field(default_factory=set)
    last_seen: Participant | None = None
    last_told: Participant | None = None
    known: dict[str, float] = field(default_factory=dict)  # agents by sid: since when
    asked_at: float = 0.0
    listed_at: float = 0.0
    seen_at: float = 0.0
    absent_at: float = 0.0
    # Since when the last agent is known to be gone; None while it is there.
    gone_since: float | None = None
    was_gone_since: float | None = None  # as the last answers were judged
    is_ours: bool = False  # whether a human was seen there who wanted an agent, or was released
    put_out: set[str] = field(default_factory=set)  # the dead, by sid: a ghost is listed for ever
    # Humans who are to be told that their agent has failed, by identity: how often it had before.
    owed: dict[str, int] = field(default_factory=dict)
    acts: int = 0
    is_unasked: bool = False  # whether it has sent an agent without asking what stands

    def next(self) -> "Look":
        """Return the next look at the same room, by the same process."""
        return replace(self, participants=None, dispatches=None, acts=0, owed={}, is_unasked=False)

    def end(self, unguarded: set[str]) -> None:
        """Answer for the rooms that it may have made; a look that fails is not at its end."""
        unguarded -= self.entered
        self.created, self.entered = set(), set()

    def saw(self, participants: Sequence[Participant], now: float) -> None:
        """Note who is there, and when the last agent had joined."""
        self.participants = participants
        self.is_ours |= any(is_wanting(self.room_name, p) for p in participants)
        # Whoever is where nobody has wanted them is nobody's business.
        here = self.agents() if self.is_ours or self.created else []
        self.known = {**dict.fromkeys((p.participant_sid for p in here), now), **self.known}
        known = [*([self.last_seen] if self.last_seen else []), *here]
        self.last_seen = max(known, key=lambda agent: agent.joined_at, default=None)
        self.seen_at = now
        if self.agents():
            self.gone_since = None

    def saw_dispatches(self, dispatches: Sequence[Dispatch]) -> None:
        """Note what stands; an absence counts when this is known too."""
        self.dispatches = dispatches
        has_news = any(since > self.asked_at for since in self.known.values())
        if not self.agents() and not has_news:
            self._count_absence()
        self.was_gone_since = self.gone_since

    def _count_absence(self) -> None:
        if self.gone_since is None or self.seen_at - self.absent_at > _ANSWERS_APART:
            self.gone_since = self.seen_at
        self.absent_at = self.seen_at

    def saw_no_room(self) -> None:
        """Forget what was known of a room that is no more."""
        self.last_seen, self.last_told, self.gone_since, self.is_ours = None, None, None, False

    def told(self, agent: Participant, now: float, *, is_here: bool) -> None:
        """Note what a webhook tells of an agent."""
        self.known.setdefault(agent.participant_sid, now)
        if self.last_told is None or self.last_told.joined_at <= agent.joined_at:
            self.last_told = agent
        self.gone_since = None if is_here else now

    def knew(self, agent: Participant) -> bool:
        """Whether the process has seen this agent, or was told of it, before it asked."""
        return self.known.get(agent.participant_sid, self.asked_at) < self.asked_at

    def agents(self) -> list[Participant]:
        """Return the agents seen, the elder first."""
        found = [
            p
            for p in self.participants or ()
            if p.kind is ParticipantKind.AGENT and p.agent_name == AGENT
            if p.participant_sid not in self.put_out
        ]
        return sorted(found, key=lambda p: (p.joined_at, p.participant_sid))

    def has_ghost(self) -> bool:
        """Whether one is listed that was to be put out and cannot be; not all know it for dead."""
        return any(p.participant_sid in self.put_out for p in self.participants or ())

    def waiting(self) -> list[Participant]:
        """Return the humans seen who are to be attended."""
        return [p for p in self.participants or () if is_waiting(self.room_name, p)]

    def has_human(self) -> bool:
        """Whether a human was seen who is to be attended."""
        return bool(self.waiting())

    def has_released(self) -> bool:
        """Whether a human was seen whom the agent is done with."""
        seen = self.participants or ()
        return any(is_released(self.room_name, p) for p in seen)

    def has_claim(self) -> bool:
        """Whether a human was seen who has or had an agent: waiting, or released."""
        return self.has_human() or self.has_released()

    def ours(self) -> list[Dispatch]:
        """Return the dispatches seen of our name."""
        return [d for d in self.dispatches or () if d.agent_name == AGENT]

    def spent(self) -> list[Dispatch]:
        """Return the dispatches whose agent has come and is not there any more, as was seen.

        The agent says which one that was, or it may be any from before.
        """
        last = self.last_seen
        if last is None:
            return []
        is_told = DISPATCH_ATTRIBUTE in last.attributes
        return [
            d
            for d in self.ours()
            if (d.brought(last) if is_told else d.created_at <= last.joined_at)
            and d.dispatch_id not in self.created
        ]

    def is_stray(self, agent: Participant) -> bool:
        """Whether the dispatch of an agent that tells it is not listed."""
        is_told = DISPATCH_ATTRIBUTE in agent.attributes
        return is_told and not any(dispatch.brought(agent) for dispatch in self.ours())

    def surplus(self, dead: Container[Participant] = ()) -> list[Dispatch]:
        """Return the dispatches beside the one that brought the agent; none if not known."""
        agents = [agent for agent in self.agents() if agent not in dead]
        own = [d for d in self.ours() if len(agents) == 1 and d.brought(agents[0])]
        return [d for d in self.ours() if own and d not in own]

    def forget(self, dispatch_id: str) -> None:
        """Note that a dispatch is deleted."""
        self.dispatches = [d for d in self.dispatches or () if d.dispatch_id != dispatch_id]


def is_wanting(room_name: str, participant: Participant) -> bool:
    """Whether this is a human with a ticket, or any in a room that ATTEND_ROOMS covers."""
    has_ticket = TICKET_ATTRIBUTE in participant.attributes
    return participant.kind is ParticipantKind.HUMAN and (has_ticket or room_name == PHONE_ROOM)


def is_released(room_name: str, participant: Participant) -> bool:
    """Whether this is a human who was to be attended, and whom the agent is done with."""
    is_marked = SEALER.is_released(room_name, participant, AGENT)
    return is_marked and is_wanting(room_name, participant)


def is_waiting(room_name: str, participant: Participant) -> bool:
    """Whether this is a human who is to be attended."""
    return is_wanting(room_name, participant) and not is_released(room_name, participant)


def waiting(found: LiveRoom) -> list[Participant]:
    """Return the humans who are to be attended, the first first."""
    humans = [p for p in found.humans() if is_waiting(found.room.room_name, p)]
    return sorted(humans, key=lambda p: p.joined_at)
