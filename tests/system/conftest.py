"""One deployment for the scenarios that leave it as it was, others for those that do not."""

import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from livekit.protocol.room import ListRoomsResponse

from tests.certificates import write_certificate
from tests.processes import (
    PLAINLY,
    Process,
    clean_environ,
    free_port,
    start_from_procfile,
    wait_until,
)
from tests.system.deployment import OPERATOR_KEY, Deployment
from tests.system.doctor_stage import BorrowedStack, Stack
from tests.system.installation import Installation, install
from tests.system.web_stage import Web, environ_for
from tests.twirp_server import TwirpServer, answer

Deploy = Callable[..., Deployment]


@pytest.fixture(scope="session")
def shared_deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Start what one test after the other has; `with_web`, if it is not to have one of its own."""
    # docs/agents.md's worker (test_own_agent.py), and that of test_hang_ups.py.
    settings = {"OPERATOR_KEY": OPERATOR_KEY, "AGENT_NAMES": "concierge,leaver"}
    with Deployment(tmp_path_factory.mktemp("deployment"), settings) as running:
        yield running.with_worker()


@pytest.fixture
def deployment(shared_deployment: Deployment) -> Iterator[Deployment]:
    """As deployed: webhooks configured, one worker, two web processes."""
    yield shared_deployment.with_web().with_worker()
    # What comes twice, or late, may come after the test.
    shared_deployment.humans.leave_but_one()


@pytest.fixture
def redeploy(shared_deployment: Deployment) -> Iterator[Deploy]:
    """Start a `web` of the test's own in the place of the shared one, beside its worker."""

    def start(how: str = PLAINLY, *, hears_webhooks: bool = True, **settings: str) -> Deployment:
        shared_deployment.vacate()
        shared_deployment.start_web(how, hears_webhooks=hears_webhooks, **settings)
        return shared_deployment.with_worker()

    yield start
    shared_deployment.vacate()


@pytest.fixture
def well(shared_deployment: Deployment, tmp_path: Path) -> Iterator[Stack]:
    """A stack whose LiveKit and worker are well; its `web` is not yet started."""
    with BorrowedStack(shared_deployment, tmp_path) as stack:
        yield stack


@pytest.fixture
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deploy]:
    """Start a deployment of the test's own."""
    with ExitStack() as ends:

        def start(settings: Mapping[str, str] | None = None) -> Deployment:
            folder = tmp_path_factory.mktemp("deployment")
            return ends.enter_context(Deployment(folder, settings))

        yield start


@pytest.fixture(scope="session")
def dev_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where `make dev`, typed as the README says it, answers."""
    port = free_port()
    environ = clean_environ() | {"PORT": str(port)}
    with Process(["make", "dev"], environ, tmp_path_factory.mktemp("dev") / "dev.log") as dev:
        dev.wait_for_output(f"Ready +http://127.0.0.1:{port}", within=120)
        yield port


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a spoken sentence."""
    recording = tmp_path_factory.mktemp("speech") / "sentence.wav"
    sentence = "Hello parrot, please tell me what I just said."
    subprocess.run(["espeak-ng", "-w", str(recording), sentence], check=True)  # noqa: S607 (the one on PATH)
    return recording


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel, in an environment of its own."""
    return install(tmp_path_factory.mktemp("installed"))


@pytest.fixture
def room_name() -> str:
    """A name that no room has yet."""
    return f"room-{uuid.uuid4().hex[:12]}"


def livekit_behind_tls(folder: Path) -> TwirpServer:
    """A LiveKit behind TLS that has no rooms, and makes what it is asked for."""
    certificate = write_certificate(folder / "certificate.pem")
    return TwirpServer(answer(ListRoomsResponse()), certificate=certificate)


@contextmanager
def running_web(livekit: TwirpServer, folder: Path) -> Iterator[Web]:
    """Start `web` on it, and wait until it answers."""
    port = free_port()
    environ = environ_for(livekit, port, folder)
    with start_from_procfile("web", environ, folder / "web.log") as process:
        running = Web(process, port)
        with running.http:
            wait_until(running.answers, within=20, what="web answers")
            yield running


@pytest.fixture
def livekit(tmp_path: Path) -> Iterator[TwirpServer]:
    """A LiveKit of the test's own."""
    with livekit_behind_tls(tmp_path) as server:
        yield server


@pytest.fixture
def web(livekit: TwirpServer, tmp_path: Path) -> Iterator[Web]:
    """A `web` of the test's own."""
    with running_web(livekit, tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def shared_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A `web` for the tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("web")
    with livekit_behind_tls(folder) as server, running_web(server, folder) as running:
        yield running
