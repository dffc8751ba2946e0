"""`token-server doctor` where the agent does not come, or comes and says nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.humans import Humans
from tests.processes import AGENT_NAME, wait_until
from tests.system.doctor_stage import Stack
from tests.system.web_processes import stopped

pytestmark = pytest.mark.live


@dataclass(frozen=True)
class Troubled:
    """A stack whose worker has the trouble that the file names at the time of a job."""

    stack: Stack
    trouble: Path


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Troubled]:
    """Start it once: to import livekit-agents is what takes long."""
    folder = tmp_path_factory.mktemp("troubled")
    trouble = folder / "trouble"
    trouble.write_text("silent")
    with Stack(folder) as stack:
        # The keeper would put out who hangs, before a slow doctor has asked twice.
        stack.with_web(AGENT_SILENT_SECONDS="0", AGENT_BLOCKED_SECONDS="0")
        yield Troubled(stack.with_worker(troubled=True, TROUBLE=str(trouble)), trouble)


@pytest.mark.parametrize("mode", ["token", "automatic"])
def test_other_ways_to_dispatch_are_well_too(tmp_path: Path, mode: str) -> None:
    """The agent is there before the human then, or has no name."""
    with Stack(tmp_path) as stack:
        stack.with_web(AGENT_DISPATCH=mode).with_worker(AGENT_DISPATCH=mode)
        diagnosis = stack.diagnose(AGENT_DISPATCH=mode)

    assert (0, []) == (diagnosis.exit_code, diagnosis.causes())


def test_a_worker_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The first thing anybody forgets; and the room of whoever waits says the same."""
    with Stack(tmp_path) as stack, Humans() as humans:
        humans.join(stack.livekit.url, stack.with_web().token("kitchen"))
        diagnosis = stack.diagnose()
        advice = stack.view("kitchen")["advice"]

    assert (1, ["no-worker"]) == (diagnosis.exit_code, diagnosis.causes())
    assert "no-worker" == advice["cause"]
    assert f"LIVEKIT_AGENT_NAME={AGENT_NAME} python -m agent start" in diagnosis.text("no-worker")


def test_a_worker_under_another_name_is_named_with_its_name(tmp_path: Path) -> None:
    """The log says `registered worker`, and no job request ever comes."""
    with Stack(tmp_path) as stack:
        stack.with_web().with_worker(LIVEKIT_AGENT_NAME="parrot")
        diagnosis = stack.diagnose()

    assert (1, ["worker-other-name"]) == (diagnosis.exit_code, diagnosis.causes())
    assert "registered as `parrot`" in diagnosis.text("worker-other-name")


def test_a_worker_without_a_name_is_named(tmp_path: Path) -> None:
    """livekit-agents' own default: automatic dispatch, which a name in the token turns off."""
    with Stack(tmp_path) as stack:
        stack.with_web().with_worker(AGENT_DISPATCH="automatic")
        diagnosis = stack.diagnose()

    assert (1, ["worker-without-name"]) == (diagnosis.exit_code, diagnosis.causes())


def test_a_full_worker_of_ours_is_named(tmp_path: Path) -> None:
    """It passes jobs on by itself, so LiveKit shows nothing of it."""
    with Stack(tmp_path) as stack, Humans() as humans:
        stack.with_web().with_worker(LIVEKIT_AGENT_MAX_JOBS="1")
        humans.join(stack.livekit.url, stack.token("busy"))
        wait_until(lambda: stack.has_agent("busy"), within=10, what="an agent in the other room")
        diagnosis = stack.diagnose()

    assert (1, ["worker-full"]) == (diagnosis.exit_code, diagnosis.causes())
    assert "1 active jobs" in diagnosis.text("worker-full")


def test_a_frozen_worker_is_named(tmp_path: Path) -> None:
    """It keeps its connection for a while, and LiveKit goes on offering it jobs."""
    with Stack(tmp_path) as stack:
        worker = stack.with_web().with_worker().worker
        with stopped(worker.popen.pid):
            wait_until(
                lambda: stack.worker_states() == ["silent"], within=15, what="a silent worker"
            )
            diagnosis = stack.diagnose()

    assert (1, ["worker-silent"]) == (diagnosis.exit_code, diagnosis.causes())


def test_a_worker_that_was_killed_is_told_apart_from_a_frozen_one(tmp_path: Path) -> None:
    """LiveKit offers a frozen one jobs for as long as it is registered, and a dead one none."""
    with Stack(tmp_path) as stack:
        worker = stack.with_web().with_worker().worker
        wait_until(lambda: stack.worker_states() == ["idle"], within=15, what="a worker that told")
        worker.kill()
        wait_until(lambda: stack.worker_states() == ["silent"], within=15, what="it is silent")
        diagnosis = stack.diagnose()

    assert (1, ["worker-dead"]) == (diagnosis.exit_code, diagnosis.causes())


def test_another_project_s_full_worker_is_named(tmp_path: Path) -> None:
    """A worker that measures CPU is passed over on a busy machine (livekit-behaviour 23)."""
    trouble = tmp_path / "trouble"
    trouble.write_text("busy")
    with Stack(tmp_path) as stack:
        stack.with_web().with_worker(troubled=True, TROUBLE=str(trouble))
        diagnosis = stack.diagnose()

    assert (1, ["worker-full"]) == (diagnosis.exit_code, diagnosis.causes())


def test_a_worker_at_another_livekit_is_named(tmp_path: Path) -> None:
    """Two terminals, two .env files, one of them old."""
    with Stack(tmp_path) as stack, Stack(tmp_path) as other:
        stack.with_web().with_worker(LIVEKIT_URL=other.livekit.url)
        diagnosis = stack.diagnose()

    assert (1, ["worker-elsewhere"]) == (diagnosis.exit_code, diagnosis.causes())


@pytest.mark.parametrize(
    ("trouble", "cause"),
    [
        pytest.param("dies", "job-died", id="process-ends"),
        pytest.param("raises", "job-died", id="exception"),
        pytest.param("hangs", "job-slow", id="hangs"),
        pytest.param("silent", "agent-silent", id="publishes-nothing"),
    ],
)
def test_a_job_that_brings_nothing_to_hear_is_named(
    troubled: Troubled, trouble: str, cause: str
) -> None:
    """From outside all of these look alike: silence."""
    troubled.trouble.write_text(trouble)

    diagnosis = troubled.stack.diagnose()

    assert (1, [cause]) == (diagnosis.exit_code, diagnosis.causes()), diagnosis.printed


@pytest.mark.parametrize(
    ("trouble", "evidence"),
    [
        pytest.param("freezes", "neither its event loop nor its transport", id="frozen"),
        pytest.param("blocks", "its transport answers", id="event-loop-stands-still"),
    ],
)
def test_an_agent_that_is_there_and_hangs_is_told_apart_from_a_quiet_one(
    troubled: Troubled, trouble: str, evidence: str
) -> None:
    """LiveKit lists it, its worker is well, and nobody will ever answer the human."""
    troubled.trouble.write_text(trouble)

    diagnosis = troubled.stack.diagnose()

    assert (1, ["agent-hung"]) == (diagnosis.exit_code, diagnosis.causes())
    assert evidence in diagnosis.text("agent-hung")


def test_a_worker_that_has_ended_is_missing_and_not_silent(tmp_path: Path) -> None:
    """Who ends in order says so: nothing is frozen, and it only has to be started again."""
    with Stack(tmp_path) as stack:
        worker = stack.with_web().with_worker().worker
        worker.stop()
        diagnosis = stack.diagnose()

    assert (1, ["no-worker"]) == (diagnosis.exit_code, diagnosis.causes())


def test_a_nameless_agent_that_comes_too_is_named(tmp_path: Path) -> None:
    """Two workers, one of them old: the human hears two agents."""
    with Stack(tmp_path) as stack:
        stack.with_web().with_worker()
        stack.worker_port += 1
        stack.with_worker(AGENT_DISPATCH="automatic")
        diagnosis = stack.diagnose()

    assert (1, ["worker-without-name"]) == (diagnosis.exit_code, diagnosis.causes())
