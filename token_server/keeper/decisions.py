"""Is the wanted agent in the room, and if not, what is to be done? Pure decisions, no I/O.

`decide` turns an `Attendance` into one action. Nothing is remembered between looks except, as a
hint that saves waiting, which agents were seen.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from shared_settings.agent_signs import DISPATCH_ATTRIBUTE
from token_server.keeper.attendance import (
    Action,
    Attendance,
    CreateDispatch,
    DeleteDispatch,
    RemoveAgent,
    Settled,
    Wait,
)
from token_server.keeper.failures import Failures
from token_server.keeper.hedging import AT_ONCE, late_at
from token_server.keeper.last_seen_agents import ABSENCE_PROVEN_AFTER
from token_server.livekit.port import Dispatch, Participant

# A good job takes a while, and LiveKit lists it up to 5 s late (livekit-behaviour 26, 28).
UNANSWERED_AFTER = timedelta(seconds=6)
UNANSWERED = "no worker took it"
_LEFT = "its agent has left"
_FAIL = "its agents fail one after the other"
_RELEASED = "its human was released"
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
# An answer that leaves out an agent whose job may be good is asked for again, so much later.
LOOK_AGAIN = ABSENCE_PROVEN_AFTER + timedelta(seconds=0.02)
# An agent that left by itself may be about to delete the room (livekit-behaviour 96): whoever sends
# the next one sooner makes the room anew.
GRACE = timedelta(seconds=1)
# A human who has come so shortly before is a page that reloads: the agent left with the page.
_RELOADED_WITHIN = timedelta(seconds=2)


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


def one_that_stays_and_one_that_goes(seen: Attendance) -> list[Participant]:
    """Return the first and the last of several agents; nobody where there is nothing to choose."""
    ranked = _ranked(seen)
    return [ranked[0], ranked[-1]] if len(ranked) > 1 else []


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
    if seen.agents and seen.is_released:
        return _decide_attended(seen, seen.agents[0])
    for dispatch in seen.dispatches:
        if dispatch.dispatch_id in seen.created_by_us:
            return DeleteDispatch(dispatch.dispatch_id, "the human left while we dispatched")
    for dispatch in () if seen.agents or seen.dead else seen.dispatches:
        if seen.is_released or _has_left(dispatch, seen):
            if not seen.is_absence_proven:
                return Wait(seen.now + LOOK_AGAIN)
            reason = _RELEASED if seen.is_released else _LEFT
            return DeleteDispatch(dispatch.dispatch_id, reason)
    if seen.agents:
        return Settled(is_attended=True)
    return Settled(is_attended=False, reason=_RELEASED if seen.is_released else "no human waits")


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
            return DeleteDispatch(dispatch.dispatch_id, reason, _is_failure(dispatch, seen))
    pause = _pause(seen)
    if not may_deliver:
        return pause or CreateDispatch(seen.order, "a human waits and nothing is on its way")
    if one_too_many := _one_too_many(may_deliver, seen):
        return one_too_many
    since = seen.waiting_since or seen.now
    hedged_at = None if pause else late_at(may_deliver, since, seen.hedging, seen.workers)
    if hedged_at is None or hedged_at > seen.now:
        return Wait(min([*ends, *([hedged_at] if hedged_at else [])]))
    return CreateDispatch(seen.order, "the one that stands is late")


def _one_too_many(may_deliver: Sequence[Dispatch], seen: Attendance) -> DeleteDispatch | None:
    """Take back what would not have been sent if the other had been known; the elder first."""
    for elder, younger in pairwise(may_deliver):
        if younger.dispatch_id in seen.unasked:
            # Somebody else's backend has sent one, say, however long ago.
            return DeleteDispatch(younger.dispatch_id, "another one stood already")
        # Whoever else created at the same moment sees the same list and keeps the same one.
        if younger.created_at - elder.created_at < AT_ONCE:
            return DeleteDispatch(younger.dispatch_id, "a second dispatch for the same agent")
    return None


def _is_failure(dispatch: Dispatch, seen: Attendance) -> bool:
    """Whether a spent dispatch is how an agent has failed this human."""
    since, last = seen.waiting_since or seen.now, seen.last_agent
    others = [other for other in seen.dispatches if other is not dispatch]
    if dispatch.created_at < since - CLEARLY_BEFORE:
        return False
    if _has_left(dispatch, seen):
        # Of an agent that does not say which one was its own, any may have been: once.
        return not any(_has_left(other, seen) for other in others)
    if not dispatch.jobs or dispatch.has_job:
        return False
    # A worker ends the job that is one too many.
    is_one_too_many = bool(last and last.joined_at >= dispatch.created_at)
    return not is_one_too_many and all(spent(other, seen)[0] <= seen.now for other in others)


def failed(seen: Attendance) -> Failures:
    """Count the failure of the last agent."""
    last, gone_at = seen.last_agent, seen.left_at or seen.now
    return seen.failures.and_another(seen.now, gone_at - last.joined_at if last else timedelta())


def _pause(seen: Attendance) -> Wait | None:
    """Wait with the next agent: the room may be about to go, or agents fail one after the other."""
    if not seen.is_absence_proven and seen.last_agent and _was_there_before(seen, seen.now):
        # Another process has taken back what brought it, whether it knows more or not.
        return Wait(seen.now + LOOK_AGAIN, "its agent may have left")
    if seen.left_at and seen.now < seen.left_at + GRACE and _was_there_before(seen, seen.left_at):
        return Wait(seen.left_at + GRACE, "its agent has just left, and the room may go too")
    failures, newest_at = seen.failures, seen.workers.newest_at
    # Whoever was registered since had no part in these failures.
    is_news = newest_at and failures.last_at and newest_at > failures.last_at
    if failures.next_at is None or failures.next_at <= seen.now or is_news:
        return None
    return Wait(failures.next_at, _FAIL if failures.are_a_loop else "its agent has failed")


def _was_there_before(seen: Attendance, left_at: datetime) -> bool:
    """Whether the human was there before the agent left: they did not come back after it."""
    since, last = seen.waiting_since or seen.now, seen.last_agent
    return left_at - since >= _RELOADED_WITHIN or bool(last and since <= last.joined_at)


def spent(dispatch: Dispatch, seen: Attendance) -> tuple[datetime, str]:
    """Say from when on, and why, a dispatch whose agent is not in the room counts as spent."""
    if _has_left(dispatch, seen):
        return seen.now, _LEFT
    if not dispatch.jobs:
        return dispatch.created_at + UNANSWERED_AFTER, UNANSWERED
    if not dispatch.has_job:
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
    if dispatch.dispatch_id in seen.departed:
        return True
    last = seen.last_agent
    if last is None or dispatch.dispatch_id in seen.created_by_us:
        return False
    if DISPATCH_ATTRIBUTE in last.attributes:
        return dispatch.brought(last)
    return dispatch.created_at <= last.joined_at
