"""What one look has shown about one wanted agent, and what can be done about it. No I/O.

decisions.py turns the one into the other. Times are LiveKit's clock.
"""

from dataclasses import dataclass, field
from datetime import datetime

from token_server.keeper.agent_life import DeadAgent
from token_server.keeper.failures import NO_FAILURES, Failures
from token_server.keeper.hedging import NOTHING_LEARNT, Hedging
from token_server.keeper.known_workers import NOTHING_TOLD, WorkerNews
from token_server.livekit.port import AgentOrder, Dispatch, Participant


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """What one look at a room has shown about one wanted agent.

    Attributes:
        now: LiveKit's time.
        order: Which agent is wanted, and what its job is to be told.
        waiting_since: When the first human who wants it joined; None without such a human.
        humans: Those who want it.
        is_released: Whether an agent of that name is done with a human who is there.
        agents: The agents of that name in the room that live, as far as is known.
        dead: Those that do not, and were not put out yet.
        dispatches: The room's dispatches of that name.
        last_agent: The last agent of that name that we know of.
        left_at: When that one left, if it left by itself.
        departed: The dispatches whose agents are known to have left.
        failures: How often in a row such an agent has failed.
        created_by_us: The dispatches that were created while acting on this room just now.
        unasked: Those of them that were made without asking what stood.
        is_absence_proven: Whether an agent that is not listed is surely not there.
        hedging: When a dispatch is late.
        workers: What workers of this name have told.
    """

    now: datetime
    order: AgentOrder
    waiting_since: datetime | None
    humans: tuple[Participant, ...] = ()
    is_released: bool = False
    agents: tuple[Participant, ...] = ()
    dead: tuple[DeadAgent, ...] = ()
    dispatches: tuple[Dispatch, ...] = ()
    last_agent: Participant | None = None
    left_at: datetime | None = None
    departed: frozenset[str] = frozenset()
    failures: Failures = NO_FAILURES
    created_by_us: frozenset[str] = frozenset()
    unasked: frozenset[str] = frozenset()
    is_absence_proven: bool = True
    hedging: Hedging = NOTHING_LEARNT
    workers: WorkerNews = NOTHING_TOLD


@dataclass(frozen=True)
class Settled:
    """Nothing to do: one agent is there, or nobody wants one."""

    is_attended: bool
    reason: str = field(default="one agent is there", compare=False)


@dataclass(frozen=True)
class Wait:
    """Nothing to do before this time."""

    until: datetime
    reason: str = field(default="a dispatch may still deliver", compare=False)


@dataclass(frozen=True)
class CreateDispatch:
    """Send the agent."""

    order: AgentOrder
    reason: str


@dataclass(frozen=True)
class DeleteDispatch:
    """Take a dispatch back that will not deliver, or that nobody needs.

    Attributes:
        dispatch_id: Which one.
        reason: Why.
        is_failure: Whether its agent has failed a human who waits.
    """

    dispatch_id: str
    reason: str
    is_failure: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class RemoveAgent:
    """Put an agent out that is one too many, or dead."""

    participant: Participant
    reason: str


Action = Settled | Wait | CreateDispatch | DeleteDispatch | RemoveAgent
