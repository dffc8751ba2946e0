"""Is the wanted agent in the room, and if not, what is to be done? Pure decisions, no I/O.

One `Attendance` is everything one look at a room has shown about one wanted agent; `decide` turns
it into one action. Nothing is remembered between looks except, as a hint that saves waiting, the
last agent that was seen. Times are LiveKit's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from shared_settings.agent_signs import DISPATCH_ATTRIBUTE
from token_server.keeper.agent_life import DeadAgent
from token_server.keeper.known_workers import NOTHING_TOLD, WorkerNews
from token_server.keeper.last_seen_agents import ABSENCE_PROVEN_AFTER
from token_server.livekit.port import AgentOrder, Dispatch, Participant

# A good job takes a while, and LiveKit lists it up to 5 s late (livekit-behaviour 26, 28).
UNANSWERED_AFTER = timedelta(seconds=6)
UNANSWERED = "no worker took it"
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
# Two actors may have created within this time; a hedge comes later.
AT_ONCE = timedelta(seconds=0.5)
# A job that a worker has in hand is hedged once, after this time: it may have frozen since.
IN_HAND_LATE_AFTER = timedelta(seconds=6)
# A worker that tells has told by then that a dispatch is in its hands: nobody has the one that none
# tells of, and the first hedge need not wait any longer.
LAPSED_AFTER = timedelta(seconds=1.2)
# Beside a worker that has fallen silent, which LiveKit may offer every other job
# (livekit-behaviour 93), the next is sent sooner, and more may stand.
LAPSED_BESIDE_SILENT_AFTER = timedelta(seconds=0.7)
MOST_BESIDE_SILENT = 8
# An answer that leaves out an agent whose job may be good is asked for again, so much later.
LOOK_AGAIN = ABSENCE_PROVEN_AFTER + timedelta(seconds=0.02)


@dataclass(frozen=True, kw_only=True)
class Hedging:
    """When another dispatch is sent while one stands (usual_times.py learns it).

    Attributes:
        after: How long a dispatch of this name may take before it is late; if nothing is known yet,
            so long.
        most: How many may stand at a time.
        most_lapsed: How many, where none of them is in any worker's hands.
    """

    after: timedelta = timedelta(seconds=2.5)
    most: int = 2
    most_lapsed: int = 4


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """What one look at a room has shown about one wanted agent.

    Attributes:
        now: LiveKit's time.
        order: Which agent is wanted, and what its job is to be told.
        waiting_since: When the first human who wants it joined; None without such a human.
        agents: The agents of that name in the room that live, as far as is known.
        dead: Those that do not, and were not put out yet.
        dispatches: The room's dispatches of that name.
        last_agent: The last agent of that name that we know of.
        created_by_us: The dispatches that were created while acting on this room just now.
        is_absence_proven: Whether an agent that is not listed is surely not there.
        hedging: When a dispatch is late.
        workers: What workers of this name have told.
    """

    now: datetime
    order: AgentOrder
    waiting_since: datetime | None
    agents: tuple[Participant, ...] = ()
    dead: tuple[DeadAgent, ...] = ()
    dispatches: tuple[Dispatch, ...] = ()
    last_agent: Participant | None = None
    created_by_us: frozenset[str] = frozenset()
    is_absence_proven: bool = True
    hedging: Hedging = Hedging()
    workers: WorkerNews = NOTHING_TOLD


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
    """Put an agent out that is one too many, or dead."""

    participant: Participant
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
        return RemoveAgent(_ranked(seen)[-1], "a second agent in the room")
    if seen.waiting_since is None:
        return _decide_without_human(seen)
    if seen.dead:
        return RemoveAgent(seen.dead[0].participant, seen.dead[0].death)
    if seen.agents:
        return _decide_attended(seen, seen.agents[0])
    return _decide_for_waiting_human(seen)


def one_that_stays(seen: Attendance) -> Participant | None:
    """Return who stays when all others are put out; None where there is nobody to choose from."""
    return _ranked(seen)[0] if len(seen.agents) > 1 else None


def _ranked(seen: Attendance) -> list[Participant]:
    """Order the agents: last those whose dispatch is no more, and before them the younger.

    Two may have joined in one millisecond: whoever looks has to choose the same one.
    """

    def rank(agent: Participant) -> tuple[bool, datetime, str]:
        is_stray = DISPATCH_ATTRIBUTE in agent.attributes and not _dispatches_of(agent, seen)
        return is_stray, agent.joined_at, agent.participant_sid

    return sorted(seen.agents, key=rank)


def _dispatches_of(agent: Participant, seen: Attendance) -> list[Dispatch]:
    return [dispatch for dispatch in seen.dispatches if dispatch.brought(agent)]


def _decide_attended(seen: Attendance, agent: Participant) -> Action:
    """Take back what was sent beside the dispatch that brought the agent; if that is known."""
    if own := _dispatches_of(agent, seen):
        for dispatch in seen.dispatches:
            if dispatch not in own:
                return DeleteDispatch(dispatch.dispatch_id, "another one has brought the agent")
    return Settled(is_attended=True)


def _decide_without_human(seen: Attendance) -> Action:
    """Leave nothing behind: an agent that comes late would sit in the room alone."""
    for dispatch in seen.dispatches:
        if dispatch.dispatch_id in seen.created_by_us:
            return DeleteDispatch(dispatch.dispatch_id, "the human left while we dispatched")
        if not seen.agents and not seen.dead and _has_left(dispatch, seen):
            if not seen.is_absence_proven:
                return Wait(seen.now + LOOK_AGAIN)
            return DeleteDispatch(dispatch.dispatch_id, "its agent has left")
    return Settled(is_attended=bool(seen.agents))


def _decide_for_waiting_human(seen: Attendance) -> Action:
    """Delete what is spent first: DeleteDispatch is the compare-and-set (livekit-behaviour 25)."""
    may_deliver, ends = [], []
    for dispatch in sorted(seen.dispatches, key=lambda d: (d.created_at, d.dispatch_id)):
        spent_at, reason = spent(dispatch, seen)
        if spent_at > seen.now:
            may_deliver.append(dispatch)
            ends.append(spent_at)
        elif not seen.is_absence_proven and (dispatch.has_job or _has_left(dispatch, seen)):
            # The job of an agent that has come may not be listed yet (livekit-behaviour 26).
            return Wait(seen.now + LOOK_AGAIN)
        else:
            return DeleteDispatch(dispatch.dispatch_id, reason)
    if not may_deliver:
        return CreateDispatch(seen.order, "a human waits and nothing is on its way")
    for elder, younger in pairwise(may_deliver):
        # Whoever else created at the same moment sees the same list and keeps the same one.
        if younger.created_at - elder.created_at < AT_ONCE:
            return DeleteDispatch(younger.dispatch_id, "a second dispatch for the same agent")
    late_at = _late_at(may_deliver, seen)
    if late_at is None or late_at > seen.now:
        return Wait(min([*ends, *([late_at] if late_at else [])]))
    return CreateDispatch(seen.order, "the one that stands is late")


def _late_at(dispatches: Sequence[Dispatch], seen: Attendance) -> datetime | None:
    """Return when another dispatch is to be sent beside these; None if these are enough."""
    youngest, told = dispatches[-1], seen.workers
    began = max(youngest.created_at, seen.waiting_since or seen.now)
    if any(dispatch.has_job or dispatch.dispatch_id in told.in_hand for dispatch in dispatches):
        # A worker is at it, and another one would be as slow: once.
        is_first = len(dispatches) == 1 < seen.hedging.most
        return began + max(IN_HAND_LATE_AFTER, seen.hedging.after) if is_first else None
    if told.is_full:
        # Whoever has room again tells it, and is asked then.
        return None
    is_news = told.newest_at is not None and told.newest_at > youngest.created_at
    have_lapsed = is_news or all(each.dispatch_id in told.lapsed for each in dispatches)
    if len(dispatches) >= _most(seen, have_lapsed=have_lapsed):
        return None
    # Who was registered since was not asked. But what comes at once is taken for another actor's,
    # and taken back: and then sent again.
    after = AT_ONCE if is_news else seen.hedging.after
    if have_lapsed and told.has_silent:
        after = min(after, LAPSED_BESIDE_SILENT_AFTER)
    elif have_lapsed and len(dispatches) == 1:
        after = min(after, LAPSED_AFTER)
    return began + after


def _most(seen: Attendance, *, have_lapsed: bool) -> int:
    """Return how many dispatches may stand."""
    if not have_lapsed:
        return seen.hedging.most
    return MOST_BESIDE_SILENT if seen.workers.has_silent else seen.hedging.most_lapsed


def spent(dispatch: Dispatch, seen: Attendance) -> tuple[datetime, str]:
    """Say from when on, and why, a dispatch whose agent is not in the room counts as spent."""
    if _has_left(dispatch, seen):
        return seen.now, "its agent has left"
    if not dispatch.jobs:
        return dispatch.created_at + UNANSWERED_AFTER, UNANSWERED
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
    """Whether its agent came; asked only where none is in the room now.

    Of an agent that does not say which dispatch has brought it, any that was there before may have.
    """
    last = seen.last_agent
    if last is None or dispatch.dispatch_id in seen.created_by_us:
        return False
    if DISPATCH_ATTRIBUTE in last.attributes:
        return dispatch.brought(last)
    return dispatch.created_at <= last.joined_at
