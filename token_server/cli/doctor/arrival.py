"""Did the agent come, can it be heard, and if not, why? No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from token_server.cli.doctor.checks import Check, Trouble, ok, skipped
from token_server.cli.doctor.hung_agent import agent_hung
from token_server.cli.doctor.probe_observation import ProbeObservation
from token_server.cli.doctor.regions import region_hint
from token_server.cli.doctor.steps import Again, Start, Step
from token_server.cli.doctor.told_workers import WORKER_FULL, ToldWorker, lines, why_not_taken
from token_server.cli.doctor.worker import WorkerReport
from token_server.cli.doctor.worker_names import (
    asking_for,
    beside_make_dev,
    cure_of_server,
    cure_of_start,
    cure_of_worker,
    misnamed,
    named,
)
from token_server.keeper import absence_reasons
from token_server.keeper.absence_reasons import Absence, name_of

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
        told: The workers that have told the token server where they are.
        others: Further workers on this machine, of other agents.
        known_names: The agents that rooms may want: a worker of such a name is well named.
        is_make_dev: Whether `make dev` runs here, and is examined.
        is_named_by_setting: Whether a worker that is started here gets its name from
            LIVEKIT_AGENT_NAME; others have it in their code.
        has_worker_line: Whether the folder's Procfile says how one is started.
        is_other_agent: Whether the agent that is looked at is not the token server's own.
        own_port: Where the worker of such an agent is asked; 0 for nowhere.
    """

    worker: WorkerReport | None
    worker_port: int
    jobs_before: int = 0
    other_names: tuple[str, ...] = ()
    told: tuple[ToldWorker, ...] = ()
    others: tuple[WorkerReport, ...] = ()
    known_names: tuple[str, ...] = ()
    is_make_dev: bool = False
    is_named_by_setting: bool = True
    has_worker_line: bool = True
    is_other_agent: bool = False
    own_port: int = 0


def not_dispatched(seen: ProbeObservation) -> Check:
    """Nobody sent for it."""
    evidence = f"no dispatch in the room within {_waited(seen):.1f} s of the join"
    if seen.failed_looks:
        absence = absence_reasons.livekit_failing()
        return _trouble(absence).unknown("agent", absence.says, evidence)
    absence = absence_reasons.not_dispatched(seen.agent_name)
    return _wrong(absence, evidence, steps=(Start.WEB,))


_HEDGED = 2


def job_lost(seen: ProbeObservation, around: Surroundings) -> Check:
    """A worker took the job, and no agent came of it."""
    jobs = seen.jobs_of(seen.agent_name)
    states = ", ".join(job.status.word for job in jobs)
    evidence = [f"LiveKit lists {len(jobs)} jobs: {states}", *_worker_lines(around)]
    # LiveKit lists a job as running that has died (livekit-behaviour 26); its worker does not.
    worker = around.worker
    has_died = (
        worker is not None
        and worker.agent_name == seen.agent_name
        and worker.active_jobs - around.jobs_before < len(jobs)
    )
    # A job that is late is hedged by one more.
    if has_died or any(job.is_over for job in jobs) or len(jobs) > _HEDGED:
        return _wrong(absence_reasons.job_died(seen.room_name), *evidence)
    return _wrong(absence_reasons.job_slow(seen.room_name, _waited(seen)), *evidence)


def not_taken(seen: ProbeObservation, around: Surroundings) -> Check:
    """It was sent for, and no worker took the job."""
    worker = around.worker
    dispatched = (
        f"LiveKit has the dispatch for {name_of(seen.agent_name)}, and no worker took it within"
        f" {_waited(seen):.0f} s"
    )
    evidence = [dispatched, *_worker_lines(around), *region_hint(seen)]
    if check := why_not_taken(seen.agent_name, around.told, *evidence):
        return check
    if worker is None:
        return _no_worker(seen, around, evidence)
    if worker.agent_name != seen.agent_name:
        return _other_name(seen, around, worker.agent_name, evidence)
    if worker.load >= _FULL:
        says = f"The worker is at its load limit ({worker.load:.2f}): LiveKit offers it no job."
        return WORKER_FULL.wrong("agent", says, *evidence)
    return _elsewhere(evidence)


def _elsewhere(evidence: list[str]) -> Check:
    return Trouble(
        "worker-elsewhere",
        "Start the worker again with the LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET that"
        " are set here; its log must then say `registered worker`. One that was started just now"
        " needs some seconds: run this again.",
        (Start.WORKER,),
    ).wrong(
        "agent",
        "The worker has the right name and is free, but this LiveKit does not know it: it is"
        " connected to another server or project, or to none.",
        *evidence,
    )


def _no_worker(seen: ProbeObservation, around: Surroundings, evidence: list[str]) -> Check:
    if any(worker.agent_name == seen.agent_name for worker in around.told):
        return _elsewhere(evidence)
    told = misnamed(seen.agent_name, (one.agent_name for one in around.told), around.known_names)
    if told is not None:
        return _other_name(seen, around, told, evidence)
    names = [name for name in around.other_names if name != seen.agent_name]
    if names:
        shown = ", ".join(map(name_of, names[:5]))
        evidence = [*evidence, f"in other rooms of this LiveKit there is {shown}"]
    absence = absence_reasons.no_worker(seen.agent_name)
    if around.is_other_agent:
        absence = absence_reasons.of_further_agent(absence, seen.agent_name)
        return _wrong(absence, *evidence)
    if around.is_make_dev:
        trouble = beside_make_dev(seen.agent_name)
        return trouble.wrong("agent", absence.says, *evidence)
    cure = cure_of_start(has_worker_line=around.has_worker_line)
    return _wrong(replace(absence, cure=cure), *evidence, steps=named(seen.agent_name))


def _other_name(
    seen: ProbeObservation, around: Surroundings, other: str, evidence: Sequence[str]
) -> Check:
    """The worker has another name than the one that is asked for, or none."""
    wanted = seen.agent_name
    absence = absence_reasons.other_name(wanted, other)
    if around.is_other_agent:
        return _wrong(absence_reasons.of_further_agent(absence, wanted), *evidence)
    if not other:
        return _wrong(absence, *evidence, steps=named(wanted))
    if around.is_named_by_setting:
        absence = replace(absence, cure=cure_of_worker(wanted, other))
        return _wrong(absence, *evidence, steps=named(wanted))
    absence = replace(absence, cure=cure_of_server(wanted, other))
    return _wrong(absence, *evidence, steps=asking_for(other, is_automatic=not wanted))


def _wrong(absence: Absence, *evidence: str, steps: tuple[Step, ...] = (Start.WORKER,)) -> Check:
    return _trouble(absence, steps).wrong("agent", absence.says, *evidence)


def _trouble(absence: Absence, steps: tuple[Step, ...] = (Again(),)) -> Trouble:
    return Trouble(absence.cause, absence.cure, steps)


def _worker_lines(around: Surroundings) -> list[str]:
    others = [worker.in_words for worker in around.others]
    if around.worker:
        gave_up = ["it says that it cannot connect to LiveKit"] * around.worker.has_given_up
        return [around.worker.in_words, *gave_up, *others, *lines(around.told)]
    nobody = f"no worker on this machine answers on port {around.worker_port} (LIVEKIT_AGENT_PORT)"
    return [*others, *lines(around.told)] or [nobody]


def _waited(seen: ProbeObservation) -> float:
    return seen.ended_at - (seen.connected_at or 0.0)


def check_agent(seen: ProbeObservation, around: Surroundings) -> Check:
    """Say whether the wanted agent came, and if not, what kept it."""
    if seen.agent:
        return _agent_came(seen)
    if seen.strangers:
        return _other_name(seen, around, seen.strangers[0], ["it is in the probe's room"])
    if not seen.dispatches_of(seen.agent_name):
        return not_dispatched(seen)
    if seen.jobs_of(seen.agent_name):
        return job_lost(seen, around)
    if seen.agent_name and seen.jobs_of(""):
        took = "it took the job that LiveKit offers to nameless workers"
        return _other_name(seen, around, "", [took])
    return not_taken(seen, around)


def check_audio(seen: ProbeObservation) -> Check:
    """Say whether the agent can be heard."""
    if not seen.agent:
        return skipped("audio", "There is no agent to listen to.")
    if seen.hang:
        return skipped("audio", "The agent does not answer.")
    if seen.deserters:
        return skipped("audio", "The agent does not stay.")
    if seen.sound_at is not None:
        return ok("audio", f"First sound {seen.sound_at - seen.agent.seconds:.2f} s later.")
    if seen.track_at is not None:
        return ok(
            "audio",
            "The agent has an audio track.",
            "no sound yet: it may wait for the human to speak first",
        )
    return Trouble(
        "agent-silent",
        "Read the worker's log for this room: the agent must publish an audio track (in an"
        " AgentSession, `session.start` with TTS or a realtime model; look for errors of those)."
        " Started again in a terminal, the worker writes its log there.",
        (Start.WORKER,),
    ).wrong(
        "audio",
        "The agent joined and publishes nothing: there is nothing to hear.",
        f"no track within {seen.ended_at - seen.agent.seconds:.1f} s of its arrival",
    )


def _agent_came(seen: ProbeObservation) -> Check:
    if seen.hang:
        return agent_hung(_capital(name_of(seen.agent_name)), seen.hang)
    if seen.rivals:
        return _second_agent(seen)
    return _agent_left(seen) if seen.deserters else _agent_is_there(seen)


def _agent_left(seen: ProbeObservation) -> Check:
    """It came and went, and the next one came in its place or is still to come."""
    first = seen.deserters[0]
    absence = absence_reasons.agent_failing(seen.room_name)
    stayed = (first.left_at or first.seconds) - first.seconds
    says = f"{_capital(name_of(seen.agent_name))} came, and left {stayed:.2f} s later."
    evidence = f"{len(seen.deserters)} left the room within {_waited(seen):.0f} s of the join"
    return _wrong(replace(absence, says=says), evidence)


def _agent_is_there(seen: ProbeObservation) -> Check:
    seconds = max(seen.agent.seconds - (seen.connected_at or 0.0), 0.0) if seen.agent else 0.0
    wanted = _capital(name_of(seen.agent_name))
    return ok("agent", f"{wanted} is there {seconds:.2f} s after the human.")


def _second_agent(seen: ProbeObservation) -> Check:
    says = f"{_capital(name_of(seen.agent_name))} is there, and another agent too."
    others = [agent.agent_name for agent in seen.rivals]
    evidence = f"the other is {name_of(others[0])}"
    if "" in others and seen.agent_name:
        return Trouble(
            "worker-without-name",
            "Stop the worker that has no name, or set LIVEKIT_AGENT_NAME for it and start it again:"
            " LiveKit sends it to every new room (automatic dispatch).",
            named(seen.agent_name),
        ).wrong("agent", says, evidence)
    return Trouble(
        "second-agent",
        "Find who else dispatches, and stop that: a webhook handler that calls CreateDispatch, a"
        " second token server with other settings, a SIP dispatch rule. Then run this again.",
        (Again(),),
    ).wrong("agent", says, evidence)


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
