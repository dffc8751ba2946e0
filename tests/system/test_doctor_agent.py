"""`token-server doctor` where the agent does not come, or comes and says nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import AGENT_NAME, LiveKitServer
from tests.system.doctor_stage import Stack

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


def test_a_worker_under_another_name_is_named_with_its_name(well: Stack) -> None:
    """The log says `registered worker`, and no job request ever comes."""
    wanted = {"LIVEKIT_AGENT_NAME": "parrot"}
    diagnosis = well.with_web(**wanted).diagnose(**wanted)

    assert (1, ["worker-other-name"]) == (diagnosis.exit_code, diagnosis.causes())
    assert f"registered as `{AGENT_NAME}`" in diagnosis.text("worker-other-name")


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
        pytest.param("hangs", "job-slow", "", id="hangs"),
        pytest.param("silent", "agent-silent", "", id="publishes-nothing"),
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
