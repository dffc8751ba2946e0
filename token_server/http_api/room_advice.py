"""Why does the human in this room wait for their agent, and what cures it? Pure, no I/O.

The words are the doctor's (absence_reasons.py); here they are chosen from what the room itself
shows. A worker on this machine, which the doctor can ask, is not known here.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from token_server.keeper import absence_reasons
from token_server.keeper.absence_reasons import Absence
from token_server.keeper.failures import fewest_failures
from token_server.keeper.wanted_agents import Want
from token_server.livekit.port import Dispatch, Job, Participant, ParticipantKind
from token_server.state.timeline import Entry, Event

# Most agents come within one; and LiveKit lists a job up to 5 s late (livekit-behaviour 26).
TOO_EARLY = timedelta(seconds=5)
# A dispatch that was taken back said why, in decisions.py's words (`spent`).
_JOB_IS_OVER, _JOB_IS_LOST = "its job is over", "its job has not come to the room"
_AGENT_WAS_THERE = {Event.AGENT_JOINED, Event.AGENT_LEFT, Event.AGENT_REMOVED}
_SENT_FOR = {Event.DISPATCHED, Event.DISPATCHED_AGAIN}


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
    """A room as it is, and what happened in it. All times are LiveKit's clock.

    `released_from` has the agents that have released a human, by their identity; `default_name` is
    the agent that the doctor calls by itself.
    """

    room_name: str
    now: datetime
    default_name: str | None = None
    wanted: Sequence[Want] = ()
    participants: Sequence[Participant] = ()
    dispatches: Sequence[Dispatch] = ()
    past: Sequence[Entry] = ()
    released_from: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def agent_names(self) -> set[str]:
        """Return the names of the agents that are there."""
        return {p.agent_name for p in self.participants if p.kind is ParticipantKind.AGENT}


def advise(seen: Situation) -> Advice | None:
    """Say why a wanted agent is not in the room.

    Returns:
        The first wanted agent's that there is something to say about; None while all are there,
        or it is too early to tell.
    """
    absent = [want for want in seen.wanted if want.order.agent_name not in seen.agent_names()]
    return next(filter(None, (_WaitingHuman(seen, want).advice() for want in absent)), None)


class _WaitingHuman:
    """The wait for one agent, since a human wants it or its predecessor was last seen."""

    def __init__(self, seen: Situation, want: Want) -> None:
        self._seen, self._agent_name = seen, want.order.agent_name
        self._is_default = seen.default_name in {None, self._agent_name}
        self._failures = fewest_failures(want.humans, seen.now)
        past = [one for one in seen.past if one.facts.get("agent_name", "") == self._agent_name]
        # What came before an agent has delivered it.
        came_at = max((_time(one) for one in past if one.event in _AGENT_WAS_THERE), default=None)
        since = max(want.since, came_at or want.since)
        self._waited = seen.now - since
        self._past = [one for one in past if _time(one) >= since]
        self._reasons = {one.facts.get("reason", "") for one in self._past}
        self._dispatches = [
            one
            for one in seen.dispatches
            if one.agent_name == self._agent_name and (not came_at or one.created_at > came_at)
        ]
        self._jobs = _taken(self._dispatches)

    def advice(self) -> Advice | None:
        seen, agent_name = self._seen, self._agent_name
        if self._failures.are_a_loop:
            return self._failing()
        if self._waited < TOO_EARLY:
            return None
        others = seen.agent_names() - {want.order.agent_name for want in seen.wanted}
        if others:
            evidence = f"It is in this room; the human has waited {_seconds(self._waited)}."
            return self._other_name(min(others), evidence)
        if self._jobs or self._has_lost_jobs():
            return self._job_lost()
        of_nameless = _taken(one for one in seen.dispatches if not one.agent_name)
        if agent_name and of_nameless:
            evidence = "It took the job that LiveKit offers to nameless workers in this room."
            return self._other_name("", evidence)
        return self._not_taken()

    def _failing(self) -> Advice:
        failures, now = self._failures, self._seen.now
        left = (failures.next_at or now) - now
        soon = f"; the next one is sent in {_seconds(left)}" if left > timedelta() else ""
        evidence = f"{failures.in_a_row} have failed in a row{soon}."
        return Advice(absence_reasons.agent_failing(self._seen.room_name), evidence)

    def _job_lost(self) -> Advice | None:
        """Tell of a worker that has the job, or had it before the dispatch was taken back."""
        jobs, room_name = self._jobs, self._seen.room_name
        states = ", ".join(job.status.word for job in jobs)
        listed = f"LiveKit lists its jobs as {states}." if jobs else ""
        if _JOB_IS_OVER in self._reasons or any(job.is_over for job in jobs):
            return Advice(absence_reasons.job_died(room_name), listed or "Its job was over.")
        is_new = jobs and self._seen.now - max(job.started_at for job in jobs) < TOO_EARLY
        if is_new and _JOB_IS_LOST not in self._reasons:
            return None
        absence = absence_reasons.job_slow(room_name, self._waited.total_seconds())
        return Advice(absence, listed or "It is sent for again.")

    def _not_taken(self) -> Advice | None:
        waited = f"the human has waited {_seconds(self._waited)}"
        sent_at = [dispatch.created_at for dispatch in self._dispatches]
        before = [_time(one) for one in self._past if one.event in _SENT_FOR]
        if not sent_at and not before:
            evidence = f"There is no dispatch in the room, and {waited}."
            return Advice(absence_reasons.not_dispatched(self._agent_name), evidence)
        if self._seen.now - min(sent_at + before) < TOO_EARLY:
            return None
        times = max(len(sent_at), len(before))
        sent = "once" if times == 1 else f"{times} times"
        evidence = f"It was sent for {sent}, and no worker took the job; {waited}."
        absence = self._absence(absence_reasons.no_worker(self._agent_name))
        cure = f"{absence.cure} {self._ask_the_doctor()}"
        return Advice(replace(absence, cure=cure), evidence)

    def _other_name(self, other: str, evidence: str) -> Advice:
        return Advice(self._absence(absence_reasons.other_name(self._agent_name, other)), evidence)

    def _absence(self, absence: Absence) -> Absence:
        if self._is_default:
            return absence
        return absence_reasons.of_further_agent(absence, self._agent_name)

    def _ask_the_doctor(self) -> str:
        option = "" if self._is_default else f" --agent {shlex.quote(self._agent_name)}"
        command = f"`token-server doctor{option}`"
        return f"{command} on the worker's machine tells which of these it is."

    def _has_lost_jobs(self) -> bool:
        is_taken = any(one.event is Event.JOB_TAKEN for one in self._past)
        return is_taken or bool(self._reasons & {_JOB_IS_OVER, _JOB_IS_LOST})


def _taken(dispatches: Iterable[Dispatch]) -> list[Job]:
    jobs = [job for dispatch in dispatches for job in dispatch.jobs]
    return [job for job in jobs if job.is_taken]


def _time(entry: Entry) -> datetime:
    return datetime.fromtimestamp(entry.at, UTC)


def _seconds(waited: timedelta) -> str:
    return f"{waited.total_seconds():.0f} s"
