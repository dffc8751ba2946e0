"""Why does the human in this room wait for their agent, and what cures it? Pure, no I/O.

The words are the doctor's (absences.py); here they are chosen from what the room itself shows. A
worker on this machine, which the doctor can ask, is not known here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from token_server import absences
from token_server.absences import Absence
from token_server.rooms import Dispatch, Job, JobStatus, Participant, ParticipantKind
from token_server.wants import Want

# Most agents come within one; and LiveKit lists a job up to 5 s late (facts, 7).
TOO_EARLY = timedelta(seconds=5)
# A dispatch that was taken back said why, in attendance.py's words (`spent`).
_JOB_IS_OVER, _JOB_IS_LOST = "its job is over", "its job has not come to the room"


class Happening(Protocol):
    """What the room's timeline keeps of one event."""

    @property
    def at(self) -> datetime:
        """LiveKit's clock."""

    @property
    def event(self) -> str:
        """Its name: `dispatched`, `job_taken` and so on."""

    @property
    def agent_name(self) -> str:
        """Whom it concerns; "" where that is nobody, or an agent without a name."""

    @property
    def reason(self) -> str:
        """Why it was done; "" where it was not ours to do."""


@dataclass(frozen=True)
class Advice:
    """Why an agent is not there, with what that rests on."""

    absence: Absence
    evidence: str

    def as_json(self) -> dict[str, str]:
        """Return `{"cause", "evidence", "cure"}`; cause is one of docs/doctor.md."""
        return {
            "cause": self.absence.cause,
            "evidence": f"{self.absence.says} {self.evidence}",
            "cure": self.absence.cure,
        }


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A room as it is, and what happened in it. All times are LiveKit's clock."""

    room_name: str
    now: datetime
    wanted: Sequence[Want]
    participants: Sequence[Participant]
    dispatches: Sequence[Dispatch]
    past: Sequence[Happening] = ()

    def agent_names(self) -> set[str]:
        """Return the names of the agents that are there."""
        return {p.agent_name for p in self.participants if p.kind is ParticipantKind.AGENT}

    def dispatches_of(self, agent_name: str) -> list[Dispatch]:
        """Return a name's dispatches."""
        return [dispatch for dispatch in self.dispatches if dispatch.agent_name == agent_name]

    def jobs_of(self, agent_name: str) -> list[Job]:
        """Return its jobs that a worker has taken."""
        jobs = [job for dispatch in self.dispatches_of(agent_name) for job in dispatch.jobs]
        return [job for job in jobs if job.status is not JobStatus.PENDING]

    def happened(self, want: Want) -> Iterator[Happening]:
        """Yield what happened about an agent since a human waits for it."""
        for one in self.past:
            if one.at >= want.since and one.agent_name == want.order.agent_name:
                yield one


def advise(seen: Situation) -> Advice | None:
    """Say why a wanted agent is not in the room.

    Returns:
        The first wanted agent's that there is something to say about; None while all are there,
        or it is too early to tell.
    """
    return next(filter(None, (_advise(seen, want) for want in seen.wanted)), None)


def _advise(seen: Situation, want: Want) -> Advice | None:
    agent_name, waited = want.order.agent_name, seen.now - want.since
    if agent_name in seen.agent_names() or waited < TOO_EARLY:
        return None
    others = seen.agent_names() - {one.order.agent_name for one in seen.wanted}
    if others:
        evidence = f"It is in this room; the human has waited {_seconds(waited)}."
        return Advice(absences.other_name(agent_name, min(others)), evidence)
    if seen.jobs_of(agent_name) or _has_lost_jobs(seen, want):
        return _job_lost(seen, want)
    if agent_name and seen.jobs_of(""):
        evidence = "It took the job that LiveKit offers to nameless workers in this room."
        return Advice(absences.other_name(agent_name, ""), evidence)
    return _not_taken(seen, want)


def _job_lost(seen: Situation, want: Want) -> Advice | None:
    """A worker has the job now, or had it before the dispatch was taken back."""
    jobs = seen.jobs_of(want.order.agent_name)
    reasons = {one.reason for one in seen.happened(want)}
    if _JOB_IS_OVER in reasons or any(job.is_over for job in jobs):
        evidence = f"LiveKit lists its jobs as {_states(jobs)}." if jobs else "Its job was over."
        return Advice(absences.job_died(seen.room_name), evidence)
    is_new = jobs and seen.now - max(job.started_at for job in jobs) < TOO_EARLY
    if is_new and _JOB_IS_LOST not in reasons:
        return None
    waited = seen.now - want.since
    evidence = f"LiveKit lists its jobs as {_states(jobs)}." if jobs else "It was sent for again."
    return Advice(absences.job_slow(seen.room_name, waited.total_seconds()), evidence)


def _not_taken(seen: Situation, want: Want) -> Advice | None:
    agent_name, waited = want.order.agent_name, _seconds(seen.now - want.since)
    sent_at = [dispatch.created_at for dispatch in seen.dispatches_of(agent_name)]
    before = [one.at for one in seen.happened(want) if one.event.startswith("dispatched")]
    if not sent_at and not before:
        evidence = f"The human has waited {waited}, and there is no dispatch in the room."
        return Advice(absences.not_dispatched(agent_name), evidence)
    if seen.now - min(sent_at + before) < TOO_EARLY:
        return None
    times = max(len(sent_at), len(before))
    sent = "once" if times == 1 else f"{times} times"
    evidence = f"It was sent for {sent}, and no worker took the job; the human has waited {waited}."
    return Advice(absences.no_worker(agent_name), evidence)


def _has_lost_jobs(seen: Situation, want: Want) -> bool:
    reasons = {_JOB_IS_OVER, _JOB_IS_LOST}
    return any(one.event == "job_taken" or one.reason in reasons for one in seen.happened(want))


def _states(jobs: Sequence[Job]) -> str:
    return ", ".join(job.status.name.lower() for job in jobs)


def _seconds(waited: timedelta) -> str:
    return f"{waited.total_seconds():.0f} s"
