"""`token-server doctor` where the agent does not come, or comes and says nothing."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import plain_http
from tests.humans import Humans
from tests.processes import AGENT_NAME, LiveKitServer, Process, free_port, wait_until
from tests.system.doctor_stage import Stack
from token_server.cli.dev.ports import is_free
from token_server.cli.doctor.worker_search import PORTS

CONCIERGE = {"AGENT_NAMES": "concierge"}

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


@pytest.fixture
def misspelled(well: Stack, tmp_path: Path) -> Iterator[Stack]:
    """A human waits for `concierge`; its worker has told nobody that it is `conceirge`."""
    port = next(
        one for one in range(well.worker_port + 1, well.worker_port + PORTS) if is_free(one)
    )
    environ = well.with_web(**CONCIERGE).environ | {
        "LIVEKIT_AGENT_NAME": "conceirge",
        "LIVEKIT_AGENT_PORT": str(port),
        "TOKEN_SERVER_URL": f"http://127.0.0.1:{free_port()}",
    }
    wanted = {"room_name": "lobby", "room_config": {"agents": [{"agent_name": "concierge"}]}}
    with (
        Process(["python", "-m", "agent", "start"], environ, tmp_path / "log") as worker,
        Humans() as humans,
    ):
        worker.wait_for_output("registered worker", within=60)
        token = plain_http.post(f"{well.web_url}/token", json=wanted).json()
        humans.join(well.livekit.url, token["participant_token"])
        wait_until(lambda: well.view("lobby")["advice"], within=30, what="the human has waited")
        yield well


def test_a_misspelled_worker_of_a_further_agent_is_found_through_who_waits_for_it(
    misspelled: Stack,
) -> None:
    """The doctor called the default agent alone, and all was well."""
    first = misspelled.diagnose(**CONCIERGE)
    (command,) = first.troubles()[0]["commands"]
    second = misspelled.diagnose(*shlex.split(command)[2:], **CONCIERGE)

    assert (1, ["human-waits"]) == (first.exit_code, first.causes()), first.printed
    assert "room lobby: a human waits for `concierge`" in first.text("human-waits")
    assert ["token-server doctor --agent concierge"] == [command.rpartition("/")[2]]
    assert (1, ["worker-other-name"]) == (second.exit_code, second.causes()), second.printed
    assert "registered as `conceirge`" in second.text("worker-other-name")
    assert command in misspelled.view("lobby")["advice"]["cure"]


def test_an_agent_that_callers_may_not_ask_for_is_named_with_the_setting(well: Stack) -> None:
    """A 403 by itself says nothing of AGENT_NAMES."""
    diagnosis = well.with_web().diagnose("--agent", "concierge")

    assert (1, ["server-refuses"]) == (diagnosis.exit_code, diagnosis.causes())
    assert "AGENT_NAMES" in diagnosis.text("server-refuses")


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
