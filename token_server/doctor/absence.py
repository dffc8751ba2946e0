"""Why the wanted agent is not there, from what the probe saw and the worker says. No I/O."""

from dataclasses import dataclass

from token_server import absences
from token_server.absences import Absence, name_of
from token_server.doctor.checks import Cause, Check, Trouble
from token_server.doctor.regions import region_hint
from token_server.doctor.sights import Sights
from token_server.doctor.worker import WorkerReport

# LiveKit offers no job from a load of 0.7 on; this project's worker stays a hair below when it is
# full, and says no itself (agent/capacity.py).
_FULL = 0.69


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is known besides what the probe saw.

    Attributes:
        worker: What the worker on this machine says; None if there is none on the port.
        jobs_before: How many jobs it had before the probe.
        worker_port: That port (LIVEKIT_AGENT_PORT).
        other_names: The names of agents in this LiveKit's other rooms.
    """

    worker: WorkerReport | None
    worker_port: int
    jobs_before: int = 0
    other_names: tuple[str, ...] = ()


def not_dispatched(sights: Sights) -> Check:
    """Nobody sent for it."""
    evidence = f"no dispatch in the room within {_waited(sights):.1f} s of the join"
    if sights.failed_looks:
        absence = absences.livekit_failing()
        return _trouble(absence).unknown("agent", absence.says, evidence)
    return _wrong(absences.not_dispatched(sights.agent_name), evidence)


def job_lost(sights: Sights, around: Surroundings) -> Check:
    """A worker took the job, and no agent came of it."""
    jobs = sights.jobs_of(sights.agent_name)
    states = ", ".join(job.status.word for job in jobs)
    evidence = [f"LiveKit lists {len(jobs)} jobs: {states}", *_worker_lines(around)]
    # LiveKit lists a job as running that has died (facts, 7); its worker does not.
    worker = around.worker
    has_died = (
        worker is not None
        and worker.agent_name == sights.agent_name
        and worker.active_jobs <= around.jobs_before
    )
    if has_died or any(job.is_over for job in jobs) or len(jobs) > 1:
        return _wrong(absences.job_died(sights.room_name), *evidence)
    return _wrong(absences.job_slow(sights.room_name, _waited(sights)), *evidence)


def not_taken(sights: Sights, around: Surroundings) -> Check:
    """It was sent for, and no worker took the job."""
    worker = around.worker
    dispatched = (
        f"LiveKit has the dispatch for {name_of(sights.agent_name)}, and no worker took it within"
        f" {_waited(sights):.0f} s"
    )
    evidence = [dispatched, *_worker_lines(around), *region_hint(sights)]
    if worker is None:
        return _no_worker(sights, around, evidence)
    if worker.agent_name != sights.agent_name:
        return other_name(sights, worker.agent_name, *evidence)
    if worker.load >= _FULL:
        return Trouble(
            Cause.WORKER_FULL,
            "Start another worker, or raise LIVEKIT_AGENT_MAX_JOBS (this project's worker) or"
            " `load_threshold` (others).",
        ).wrong("agent", f"The worker is at its load limit ({worker.load:.2f}).", *evidence)
    return Trouble(
        Cause.WORKER_ELSEWHERE,
        "Start the worker with the LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET that are set"
        " here; its log must then say `registered worker`. One that was started just now needs some"
        " seconds: run this again.",
    ).wrong(
        "agent",
        "The worker has the right name and is free, but this LiveKit does not know it: it is"
        " connected to another server or project, or to none.",
        *evidence,
    )


def _no_worker(sights: Sights, around: Surroundings, evidence: list[str]) -> Check:
    names = [name for name in around.other_names if name != sights.agent_name]
    if names:
        shown = ", ".join(map(name_of, names[:5]))
        evidence = [*evidence, f"in other rooms of this LiveKit there is {shown}"]
    return _wrong(absences.no_worker(sights.agent_name), *evidence)


def other_name(sights: Sights, other: str, *evidence: str) -> Check:
    """The worker has another name than the one that is asked for, or none."""
    return _wrong(absences.other_name(sights.agent_name, other), *evidence)


def _wrong(absence: Absence, *evidence: str) -> Check:
    return _trouble(absence).wrong("agent", absence.says, *evidence)


def _trouble(absence: Absence) -> Trouble:
    return Trouble(Cause(absence.cause), absence.cure)


def _worker_lines(around: Surroundings) -> list[str]:
    if around.worker:
        gave_up = ["it says that it cannot connect to LiveKit"] * around.worker.has_given_up
        return [around.worker.in_words, *gave_up]
    return [f"no worker on this machine answers on port {around.worker_port} (LIVEKIT_AGENT_PORT)"]


def _waited(sights: Sights) -> float:
    return sights.ended_at - (sights.connected_at or 0.0)
