"""The doctor's verdict on an agent that comes or does not, from what the probe saw."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from token_server.cli.doctor.arrival import Surroundings, check_agent, check_audio
from token_server.cli.doctor.checks import Finding
from token_server.cli.doctor.hung_agent import Hang
from token_server.cli.doctor.probe_observation import ObservedAgent, ProbeObservation
from token_server.cli.doctor.told_workers import ToldWorker
from token_server.cli.doctor.worker import WorkerReport
from token_server.livekit.port import Dispatch, Job, JobStatus

ZERO = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOBODY = Surroundings(worker=None, worker_port=8081)


def probe(agent_name: str = "voice-agent") -> ProbeObservation:
    """A human who has been in the room for 8 seconds."""
    return ProbeObservation(
        room_name="doctor-1",
        agent_name=agent_name,
        zero=ZERO,
        token_at=0.01,
        connected_at=1.0,
        ended_at=9.0,
    )


def dispatched(
    seen: ProbeObservation, *statuses: JobStatus, agent_name: str = "voice-agent"
) -> ProbeObservation:
    """With a dispatch, and jobs of these states."""
    jobs = tuple(
        Job(job_id=f"AJ_{number}", status=status, started_at=ZERO + timedelta(seconds=2))
        for number, status in enumerate(statuses)
    )
    at = ZERO + timedelta(seconds=1.1)
    dispatch = Dispatch(
        dispatch_id=f"AD_{agent_name}", agent_name=agent_name, created_at=at, jobs=jobs
    )
    seen.note_dispatches([dispatch])
    return seen


def worker(
    agent_name: str = "voice-agent", active_jobs: int = 0, load: float = 0.0
) -> Surroundings:
    """With a worker on this machine."""
    report = WorkerReport(
        port=8081,
        agent_name=agent_name,
        active_jobs=active_jobs,
        load=load,
        has_given_up=False,
    )
    return Surroundings(worker=report, worker_port=8081)


def told(*states: str, agent_name: str = "voice-agent", is_gone: bool = False) -> Surroundings:
    """With workers that have told the token server, on other machines than this one."""
    workers = tuple(
        ToldWorker(
            agent_name=agent_name,
            host="engine-room\x1b",
            state=state,
            calls=2,
            max_calls=2,
            seconds_since_heard=7.0,
            is_gone=is_gone,
        )
        for state in states
    )
    return Surroundings(worker=None, worker_port=8081, told=workers)


@pytest.mark.parametrize(
    ("around", "cause"),
    [
        pytest.param(told("full"), "worker-full", id="full"),
        pytest.param(told("full", "silent"), "worker-full", id="full, and an old one silent"),
        pytest.param(told("silent"), "worker-silent", id="silent"),
        pytest.param(told("idle", "silent"), "worker-silent", id="a silent one beside it"),
        pytest.param(told("silent", is_gone=True), "worker-dead", id="its process has ended"),
        pytest.param(told("idle", "full"), "worker-elsewhere", id="it has room"),
        pytest.param(told("idle", agent_name="parrot"), "worker-other-name", id="other name"),
        pytest.param(told("idle", agent_name=""), "worker-without-name", id="no name"),
        pytest.param(told(), "no-worker", id="nobody has told"),
    ],
)
def test_what_workers_have_told_names_the_cause_without_their_port(
    around: Surroundings, cause: str
) -> None:
    """They run on other machines, and only the token server knows of them."""
    check = check_agent(dispatched(probe()), around)

    assert (Finding.WRONG, cause) == (check.finding, check.cause)
    assert around.told == () or any("engine-room\\x1b" in line for line in check.evidence)


@pytest.mark.parametrize(
    ("seen", "around", "cause"),
    [
        pytest.param(probe(), NOBODY, "not-dispatched", id="no-dispatch"),
        pytest.param(dispatched(probe()), NOBODY, "no-worker", id="no-worker"),
        pytest.param(dispatched(probe()), worker("parrot"), "worker-other-name", id="other-name"),
        pytest.param(dispatched(probe()), worker(""), "worker-without-name", id="no-name"),
        pytest.param(dispatched(probe()), worker(load=0.6999), "worker-full", id="full"),
        pytest.param(dispatched(probe()), worker(), "worker-elsewhere", id="elsewhere"),
        pytest.param(
            dispatched(probe(), JobStatus.PENDING), worker(), "worker-elsewhere", id="pending"
        ),
        pytest.param(dispatched(probe(), JobStatus.FAILED), NOBODY, "job-died", id="failed"),
        pytest.param(dispatched(probe(), JobStatus.RUNNING), NOBODY, "job-slow", id="running"),
        pytest.param(
            dispatched(probe(), JobStatus.RUNNING), worker(), "job-died", id="running-nowhere"
        ),
        pytest.param(
            dispatched(probe(), JobStatus.RUNNING),
            worker(active_jobs=1),
            "job-slow",
            id="running-slowly",
        ),
        pytest.param(
            dispatched(dispatched(probe()), JobStatus.RUNNING, agent_name=""),
            NOBODY,
            "worker-without-name",
            id="job-of-nameless-worker",
        ),
        pytest.param(
            dispatched(probe(""), agent_name=""),
            worker("parrot"),
            "worker-other-name",
            id="automatic-and-named",
        ),
    ],
)
def test_each_way_not_to_come_has_its_name(
    seen: ProbeObservation, around: Surroundings, cause: str
) -> None:
    """No cause is "something is wrong"."""
    check = check_agent(seen, around)

    assert (Finding.WRONG, cause) == (check.finding, check.cause)
    assert check.says
    assert check.cure


@pytest.mark.parametrize(
    ("around", "line"),
    [
        pytest.param(NOBODY, "The line is the Procfile's `worker:`;", id="procfile"),
        pytest.param(
            replace(NOBODY, has_worker_line=False),
            "The line starts this project's own agent;",
            id="no-line",
        ),
        pytest.param(
            replace(NOBODY, is_make_dev=True),
            "The last line starts this project's own agent;",
            id="make-dev",
        ),
    ],
)
def test_a_worker_that_nobody_can_know_of_is_left_to_its_owner(
    around: Surroundings, line: str
) -> None:
    """Somebody with a worker of their own typed the line, and had two."""
    check = check_agent(dispatched(probe()), around)

    assert f"{line} if your worker is started otherwise, start that one." in check.cure


def test_agents_in_other_rooms_tell_which_names_there_are() -> None:
    """A worker on another machine has no port here, but its agents have names."""
    around = Surroundings(worker=None, worker_port=8081, other_names=("parrot",))

    check = check_agent(dispatched(probe()), around)

    assert "in other rooms of this LiveKit there is `parrot`" in check.evidence


def test_an_error_of_livekit_s_is_no_proof_that_nobody_dispatched() -> None:
    """Unknown is not no."""
    seen = probe()
    seen.failed_looks = 3

    assert Finding.UNKNOWN is check_agent(seen, NOBODY).finding


def test_an_agent_that_is_there_is_well_and_its_silence_is_not() -> None:
    """Joined is not heard."""
    seen = probe()
    seen.note_agent("agent-voice-agent", ObservedAgent(agent_name="voice-agent", seconds=1.5))

    assert (Finding.OK, "agent-silent") == (
        check_agent(seen, NOBODY).finding,
        check_audio(seen).cause,
    )


@pytest.mark.parametrize("hang", list(Hang))
def test_an_agent_that_hangs_is_told_once_though_it_is_replaced_meanwhile(hang: Hang) -> None:
    """The next one is no second agent, and the silence has its reason."""
    seen = probe()
    seen.note_agent("agent-1", ObservedAgent(agent_name="voice-agent", seconds=1.5))
    seen.note_agent("agent-2", ObservedAgent(agent_name="voice-agent", seconds=8.5))
    seen.life.hang = hang

    checks = [check_agent(seen, NOBODY), check_audio(seen)]

    assert ["agent-hung", None] == [check.cause for check in checks]
    assert (hang.value,) == checks[0].evidence


@pytest.mark.parametrize(
    ("other", "cause"),
    [("", "worker-without-name"), ("parrot", "second-agent"), ("voice-agent", "second-agent")],
)
def test_one_agent_too_many_is_wrong_too(other: str, cause: str) -> None:
    """The human hears two voices."""
    seen = probe()
    seen.note_agent("agent-voice-agent", ObservedAgent(agent_name="voice-agent", seconds=1.5))
    seen.note_agent("agent-2", ObservedAgent(agent_name=other, seconds=1.6))

    assert (Finding.WRONG, cause) == (
        check_agent(seen, NOBODY).finding,
        check_agent(seen, NOBODY).cause,
    )


@pytest.mark.parametrize("left_at", [2.0, 5.2])
def test_an_agent_that_crashes_and_is_replaced_is_no_second_agent(left_at: float) -> None:
    """Nobody else dispatches: the keeper has sent the next one."""
    seen = probe()
    seen.note_agent("agent-1", ObservedAgent(agent_name="voice-agent", seconds=1.5))
    seen.note_left("agent-1", left_at)
    seen.note_agent("agent-2", ObservedAgent(agent_name="voice-agent", seconds=5.0))

    checks = [check_agent(seen, NOBODY), check_audio(seen)]

    assert ["agent-failing", None] == [check.cause for check in checks]
    assert f"`voice-agent` came, and left {left_at - 1.5:.2f} s later." == checks[0].says


def test_an_agent_that_leaves_and_has_no_successor_yet_is_not_well() -> None:
    """It was `there`, and silent."""
    seen = probe()
    seen.note_agent("agent-1", ObservedAgent(agent_name="voice-agent", seconds=1.5))
    seen.note_left("agent-1", 2.0)

    assert "agent-failing" == check_agent(seen, NOBODY).cause


def test_an_agent_that_was_heard_may_go() -> None:
    """One that says something and is done is well."""
    seen = probe()
    seen.note_agent("agent-1", ObservedAgent(agent_name="voice-agent", seconds=1.5))
    seen.sound_at = 2.0
    seen.note_left("agent-1", 3.0)

    assert [None, None] == [check_agent(seen, NOBODY).cause, check_audio(seen).cause]


def test_an_agent_that_waits_to_be_spoken_to_is_well() -> None:
    """Not every agent greets."""
    seen = probe()
    seen.note_agent("agent-voice-agent", ObservedAgent(agent_name="voice-agent", seconds=1.5))
    seen.track_at = 1.7

    assert Finding.OK is check_audio(seen).finding
