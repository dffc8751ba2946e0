"""Is the wanted agent in the room, and if not, what is to be done? Pure decisions, no I/O.

One `Attendance` is everything one look at a room has shown about one wanted agent; `decide` turns
it into one action. Nothing is remembered between looks except, as a hint that saves waiting, the
last agent that was seen. Times are LiveKit's clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from token_server.livekit.rooms import AgentOrder, Dispatch, Participant

# A good job takes a while, and LiveKit lists it up to 5 s late (livekit-behaviour 26, 28).
UNANSWERED_AFTER = timedelta(seconds=6)
# A worker that is cold or loaded may take this long from job to room.
JOB_LOST_AFTER = timedelta(seconds=20)
# A job that did not come in time may have been merely slow, and the next one is as slow: the
# longer the human has waited already, the longer it gets, up to this.
SLOW_JOB_LOST_AFTER = timedelta(seconds=60)
# A dispatch from before everybody's join belongs to an earlier call, whose agent has most likely
# left with it (livekit-behaviour 61); it gets this long after the join, and this is how much before
# counts.
LEFTOVER_AFTER = timedelta(seconds=2)
CLEARLY_BEFORE = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """What one look at a room has shown about one wanted agent.

    Attributes:
        now: LiveKit's time.
        order: Which agent is wanted, and what its job is to be told.
        waiting_since: When the first human who wants it joined; None without such a human.
        agents: The agents of that name in the room.
        dispatches: The room's dispatches of that name.
        agent_last_joined_at: When the last agent of that name that we know of had joined.
        created_by_us: The dispatches that were created while acting on this room just now.
    """

    now: datetime
    order: AgentOrder
    waiting_since: datetime | None
    agents: tuple[Participant, ...] = ()
    dispatches: tuple[Dispatch, ...] = ()
    agent_last_joined_at: datetime | None = None
    created_by_us: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Settled:
    """Nothing to do: one agent is there, or no human is."""

    is_attended: bool


@dataclass(frozen=True)
class Wait:
    """A dispatch may still deliver; look again at this time."""

    until: datetime


@dataclass(frozen=True)
class CreateDispatch:
    """Send the agent."""

    order: AgentOrder
    reason: str


@dataclass(frozen=True)
class DeleteDispatch:
    """Take a dispatch back that will not deliver, or that nobody needs."""

    dispatch_id: str
    reason: str


@dataclass(frozen=True)
class RemoveAgent:
    """Put an agent out that is one too many."""

    participant_identity: str
    reason: str


Action = Settled | Wait | CreateDispatch | DeleteDispatch | RemoveAgent


def reason_of(action: Action) -> str:
    """Say why this was decided."""
    match action:
        case Settled(is_attended=is_attended):
            return "one agent is there" if is_attended else "no human waits"
        case Wait():
            return "a dispatch may still deliver"
        case _:
            return action.reason


def decide(seen: Attendance) -> Action:
    """Choose the one next step towards exactly one agent where a human is, none where none is."""
    if len(seen.agents) > 1:
        # Two may have joined in one millisecond: whoever looks has to choose the same one.
        youngest = max(seen.agents, key=lambda agent: (agent.joined_at, agent.participant_sid))
        return RemoveAgent(youngest.participant_identity, "a second agent in the room")
    if seen.waiting_since is None:
        return _decide_without_human(seen)
    if seen.agents:
        return Settled(is_attended=True)
    return _decide_for_waiting_human(seen)


def _decide_without_human(seen: Attendance) -> Action:
    """Leave nothing behind: an agent that comes late would sit in the room alone."""
    for dispatch in seen.dispatches:
        if dispatch.dispatch_id in seen.created_by_us:
            return DeleteDispatch(dispatch.dispatch_id, "the human left while we dispatched")
        if not seen.agents and _has_left(dispatch, seen):
            return DeleteDispatch(dispatch.dispatch_id, "its agent has left")
    return Settled(is_attended=bool(seen.agents))


def _decide_for_waiting_human(seen: Attendance) -> Action:
    """Delete what is spent first: DeleteDispatch is the compare-and-set (livekit-behaviour 25)."""
    may_deliver = []
    for dispatch in seen.dispatches:
        spent_at, reason = spent(dispatch, seen)
        if spent_at <= seen.now:
            return DeleteDispatch(dispatch.dispatch_id, reason)
        may_deliver.append((dispatch.created_at, dispatch.dispatch_id, spent_at))
    if not may_deliver:
        return CreateDispatch(seen.order, "a human waits and nothing is on its way")
    (_, _, spent_at), *younger = sorted(may_deliver)
    if younger:
        # Whoever else created at the same moment sees the same list and keeps the same one.
        return DeleteDispatch(younger[-1][1], "a second dispatch for the same agent")
    return Wait(spent_at)


def spent(dispatch: Dispatch, seen: Attendance) -> tuple[datetime, str]:
    """Say from when on, and why, a dispatch whose agent is not in the room counts as spent."""
    if _has_left(dispatch, seen):
        return seen.now, "its agent has left"
    if not dispatch.jobs:
        return dispatch.created_at + UNANSWERED_AFTER, "no worker took it"
    if all(job.is_over for job in dispatch.jobs):
        return seen.now, "its job is over"
    last_job_at = max(job.started_at for job in dispatch.jobs)
    lost_at = max(last_job_at, dispatch.created_at) + _patience(dispatch, seen)
    if seen.waiting_since and dispatch.created_at < seen.waiting_since - CLEARLY_BEFORE:
        leftover_at = max(
            seen.waiting_since + LEFTOVER_AFTER, dispatch.created_at + UNANSWERED_AFTER
        )
        return min(lost_at, leftover_at), "it is from before the human's join"
    return lost_at, "its job has not come to the room"


def _patience(dispatch: Dispatch, seen: Attendance) -> timedelta:
    """Return how long a job may take to come to the room: 20 s at first, then 40, then 60."""
    waited = dispatch.created_at - (seen.waiting_since or dispatch.created_at)
    return max(JOB_LOST_AFTER, min(2 * waited, SLOW_JOB_LOST_AFTER))


def _has_left(dispatch: Dispatch, seen: Attendance) -> bool:
    """Whether an agent came after this dispatch; asked only where none is in the room now."""
    if seen.agent_last_joined_at is None or dispatch.dispatch_id in seen.created_by_us:
        return False
    return dispatch.created_at <= seen.agent_last_joined_at
