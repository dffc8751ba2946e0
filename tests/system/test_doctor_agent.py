"""`token-server doctor` where the agent does not come, or comes and says nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.humans import Humans
from tests.processes import AGENT_NAME, LiveKitServer, free_port, wait_until
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


def test_an_agent_that_is_sent_with_the_token_is_well_too(well: Stack) -> None:
    """It is there before the human then."""
    mode = {"AGENT_DISPATCH": "token"}
    diagnosis = well.with_web(**mode).diagnose(**mode)

    assert (0, []) == (diagnosis.exit_code, diagnosis.causes())


def test_a_worker_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The first thing anybody forgets; and the room of whoever waits says the same."""
    with Stack(tmp_path) as stack, Humans() as humans:
        humans.join(stack.livekit.url, stack.with_web().token("kitchen"))
        diagnosis = stack.diagnose()
        advice = stack.view("kitchen")["advice"]

    assert (1, ["no-worker"]) == (diagnosis.exit_code, diagnosis.causes())
    assert "no-worker" == advice["cause"]
    assert f"LIVEKIT_AGENT_NAME={AGENT_NAME} python -m agent start" in advice["cure"]


def test_a_worker_under_another_name_is_named_with_its_name(well: Stack) -> None:
    """The log says `registered worker`, and no job request ever comes."""
    wanted = {"LIVEKIT_AGENT_NAME": "parrot"}
    diagnosis = well.with_web(**wanted).diagnose(**wanted)

    assert (1, ["worker-other-name"]) == (diagnosis.exit_code, diagnosis.causes())
    assert f"registered as `{AGENT_NAME}`" in diagnosis.text("worker-other-name")


def test_a_worker_that_was_killed_is_told_apart_from_a_frozen_one(well: Stack) -> None:
    """LiveKit offers a frozen one jobs for as long as it is registered, and a dead one none."""
    worker = well.with_web().worker
    wait_until(lambda: well.worker_states() == ["idle"], within=15, what="a worker that told")
    with stopped(worker.popen.pid):
        wait_until(lambda: well.worker_states() == ["silent"], within=15, what="it is silent")
        frozen = well.diagnose()
    wait_until(lambda: well.worker_states() == ["idle"], within=15, what="it is heard again")
    worker.kill()
    wait_until(lambda: well.worker_states() == ["silent"], within=15, what="it is silent again")
    dead = well.diagnose()

    assert (1, ["worker-silent"]) == (frozen.exit_code, frozen.causes())
    assert (1, ["worker-dead"]) == (dead.exit_code, dead.causes())


def test_a_worker_at_another_livekit_is_named(well: Stack, tmp_path: Path) -> None:
    """Two terminals, two .env files, one of them old."""
    with LiveKitServer(tmp_path, webhook_urls=[f"{well.web_url}/webhook"]) as other:
        # The worker tells `web` of itself, as it does where only its LIVEKIT_URL is old.
        elsewhere = {"LIVEKIT_URL": other.url}
        diagnosis = well.with_web(**elsewhere).diagnose(**elsewhere)

    assert (1, ["worker-elsewhere"]) == (diagnosis.exit_code, diagnosis.causes())


@pytest.mark.parametrize(
    ("trouble", "cause", "evidence"),
    [
        pytest.param("dies", "job-died", "", id="process-ends"),
        pytest.param("raises", "job-died", "", id="exception"),
        pytest.param("hangs", "job-slow", "", id="hangs"),
        pytest.param("silent", "agent-silent", "", id="publishes-nothing"),
        # A worker that measures CPU is passed over on a busy machine (livekit-behaviour 23).
        pytest.param("busy", "worker-full", "", id="another-project-s-full-worker"),
        # LiveKit lists these, and their worker is well.
        pytest.param(
            "freezes", "agent-hung", "neither its event loop nor its transport", id="frozen"
        ),
        pytest.param("blocks", "agent-hung", "its transport answers", id="event-loop-stands-still"),
    ],
)
def test_a_job_that_brings_nothing_to_hear_is_named(
    troubled: Troubled, trouble: str, cause: str, evidence: str
) -> None:
    """From outside all of these look alike: silence."""
    troubled.trouble.write_text(trouble)

    diagnosis = troubled.stack.diagnose()

    assert (1, [cause]) == (diagnosis.exit_code, diagnosis.causes()), diagnosis.printed
    assert evidence in diagnosis.text(cause)


def test_a_worker_that_has_ended_is_missing_and_not_silent(well: Stack) -> None:
    """Who ends in order says so: nothing is frozen, and it only has to be started again."""
    worker = well.with_web().worker
    wait_until(lambda: well.worker_states() == ["idle"], within=15, what="a worker that told")
    worker.stop()
    diagnosis = well.diagnose()

    assert (1, ["no-worker"]) == (diagnosis.exit_code, diagnosis.causes())


def test_a_nameless_agent_that_comes_too_is_named(well: Stack) -> None:
    """Two workers, one of them old: the human hears two agents."""
    port = str(free_port())
    well.with_web().with_worker(AGENT_DISPATCH="automatic", LIVEKIT_AGENT_PORT=port)
    diagnosis = well.diagnose()

    assert (1, ["worker-without-name"]) == (diagnosis.exit_code, diagnosis.causes())
