"""docs/operating.md and docs/webhooks.md, with the wheel, from an empty folder."""

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.settings import AgentSettings
from tests import plain_http
from tests.processes import Process, clean_environ, free_port, wait_until
from tests.snippets import snippet
from tests.system.installation import (
    ENV_FILE,
    INSTALL,
    LIVEKIT_YAML,
    PREFIX,
    UNITS,
    WEB,
    WORKER,
    Activated,
    Installation,
    YamlLiveKit,
    exec_start,
    unit_values,
)

pytestmark = pytest.mark.live

DRY_RUN = snippet("docs/operating.md", "export TOKEN_SERVER_ENV_FILE")
HEALTH = snippet("docs/operating.md", "/healthz")
UPGRADE_DRY_RUN = snippet("docs/upgrading.md", "--check-config")
WEBHOOK_COUNTS = snippet("docs/webhooks.md", "grep token_server_webhook")
WEBHOOK_ADDRESS = snippet("docs/webhooks.md", "%{http_code}")
RUNS = [
    INSTALL,
    ENV_FILE,
    *UNITS.values(),
    LIVEKIT_YAML,
    DRY_RUN,
    HEALTH,
    UPGRADE_DRY_RUN,
    WEBHOOK_COUNTS,
    WEBHOOK_ADDRESS,
]


@dataclass
class Running:
    """The units' processes, and what they were started with."""

    installation: Installation
    folder: Path
    environ: Mapping[str, str]
    env_file: Path
    web_port: int
    worker_port: int
    activated: Activated

    def __post_init__(self) -> None:
        """Start both, and wait until they are ready."""
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.web = self.start_web()
        self.worker = self._start_worker()

    def stop(self) -> None:
        """Stop both, as systemd does."""
        self.worker.stop()
        self.web.stop()

    def run(self, command: str) -> str:
        """Run a command of a page, with this deployment's addresses for the page's own."""
        own = (
            command.replace("127.0.0.1:8080", f"127.0.0.1:{self.web_port}")
            .replace("127.0.0.1:8081", f"127.0.0.1:{self.worker_port}")
            .replace("https://tokens.example", self.url)
            .replace("/etc/token-server.env", str(self.env_file))
        )
        done = self.installation.run(own, {"OPERATOR_KEY": self.environ["OPERATOR_KEY"]})
        assert done.returncode == 0, f"{own}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start_web(self) -> Process:
        """Start the web unit's command on the port that is held open."""
        return self.activated.start(
            exec_start(WEB, self.installation),
            self.environ,
            self.folder / "web.log",
            self.installation.empty_folder,
        )

    def _start_worker(self) -> Process:
        return Process(
            exec_start(WORKER, self.installation).split(),
            self.environ,
            self.folder / "worker.log",
            folder=self.installation.empty_folder,
        )


@pytest.fixture(scope="module")
def running(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """What systemd would have started, with a real livekit-server."""
    folder = tmp_path_factory.mktemp("running")
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    web_port, worker_port = listener.getsockname()[1], free_port()
    with ExitStack() as ends:
        ends.enter_context(listener)
        livekit = ends.enter_context(YamlLiveKit(folder, web_port))
        env_file = folder / "token-server.env"
        env_file.write_text(
            ENV_FILE.text.replace("wss://livekit.example", livekit.url)
            + f"\nDEMO=1\nPORT={web_port}\nLIVEKIT_AGENT_PORT={worker_port}\n"
        )
        environ = {
            **clean_environ(),
            **dict(re.findall(r"^(\w+)=(.*)$", env_file.read_text(), re.MULTILINE)),
            # Units have no home.
            "HOME": "/nonexistent",
            "PATH": installation.path,
        }
        activated = ends.enter_context(closing(Activated(listener)))
        deployed = Running(
            installation, folder, environ, env_file, web_port, worker_port, activated
        )
        ends.callback(deployed.stop)
        deployed.worker.wait_for_output("registered worker", within=60)
        yield deployed


if sys.platform == "linux":

    def test_systemd_accepts_the_units(installation: Installation, tmp_path: Path) -> None:
        """A misspelt key is ignored, with a warning that nobody reads."""
        for name, unit in UNITS.items():
            (tmp_path / name).write_text(unit.text.replace(PREFIX, str(installation.prefix)))
        names = [name.replace("@", "@1") for name in UNITS]

        verified = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *names],  # noqa: S607
            cwd=tmp_path,
            env={**clean_environ(), "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
            capture_output=True,
            text=True,
            check=False,
        )

        said = [line for line in verified.stderr.splitlines() if "token-server" in line]
        assert (0, []) == (verified.returncode, said)


def test_the_units_stop_as_the_processes_need_it() -> None:
    """Time enough for calls to end, and a port of its own for each worker."""
    drain = AgentSettings.model_fields["drain_seconds"].default

    assert int(unit_values(WORKER, "TimeoutStopSec")[0]) > drain
    assert ["LIVEKIT_AGENT_PORT=808%i"] == unit_values(WORKER, "Environment")
    assert ["127.0.0.1:8080"] == unit_values("token-server-web.socket", "ListenStream")


def test_dry_run_and_doctor_find_all_well(running: Running) -> None:
    """The doctor joins: token, webhook, dispatch, agent and sound, all from the wheel."""
    said = running.run(DRY_RUN.text)

    assert "All well" in said
    assert not list(running.installation.empty_folder.iterdir())


def test_a_dry_run_of_an_upgrade_names_what_is_missing(installation: Installation) -> None:
    """Before anything is stopped."""
    done = installation.run(UPGRADE_DRY_RUN.text, {})

    assert (1, True) == (done.returncode, "TOKEN_AUTH must be set" in done.stderr)


def test_the_wheel_brings_its_pages(running: Running) -> None:
    """Built where the wheel was; no Node.js here."""
    pages = {path: plain_http.get(f"{running.url}{path}").data.decode() for path in ("/", "/api")}

    for page in pages.values():
        (script, *_) = re.findall(r'src="(/assets/[^"]+)"', page)
        assert 200 == plain_http.get(f"{running.url}{script}").status


def test_a_token_from_the_command_line(running: Running) -> None:
    """With the key of the environment."""
    said = json.loads(
        running.installation.run("token-server token --room kitchen", running.environ).stdout
    )

    assert "kitchen" == said["room_name"]


def test_what_only_a_checkout_can_do_says_so(installation: Installation) -> None:
    """And what to type instead; both commands are those of the units."""
    done = installation.run("token-server dev", {"PORT": str(free_port())})

    said = done.stderr
    assert (1, True) == (done.returncode, "there is no Procfile" in said)
    assert all(
        exec_start(unit, installation).removeprefix(f"{installation.prefix}/bin/") in said
        for unit in (WEB, WORKER)
    )


def test_health_is_told_as_asked(running: Running) -> None:
    """GET and HEAD, web and worker."""
    said = running.run(HEALTH.text)

    assert {"alive", "HTTP/1.1 200 OK", "voice-agent"} <= set(
        re.findall(r"alive|HTTP/1.1 200 OK|voice-agent", said)
    )


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_balancer_of_the_old_school_is_answered(running: Running, method: str, path: str) -> None:
    """HAProxy's checks are HTTP/1.0 without a Host."""
    with socket.create_connection(("127.0.0.1", running.web_port), timeout=10) as balancer:
        balancer.sendall(f"{method} {path} HTTP/1.0\r\n\r\n".encode())
        answer = b"".join(iter(lambda: balancer.recv(4096), b""))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert (True, method == "GET") == (head.startswith(b"HTTP/1.0 200 "), bool(body))


def test_webhooks_are_seen_to_arrive(running: Running) -> None:
    """Counted, and from outside the address is known by the 401."""
    counted = running.run(WEBHOOK_COUNTS.text)
    answer = running.run(WEBHOOK_ADDRESS.text)

    (received,) = re.findall(r"^token_server_webhooks_received_total (\d+)", counted, re.MULTILINE)
    needed = re.findall(r"^token_server_webhook_events_total\S+ (\d+)", counted, re.MULTILINE)
    assert ("401", True) == (answer.strip(), int(received) > 0)
    # What is left are ends of rooms, of which the doctor's is one.
    assert 0 <= int(received) - sum(map(int, needed)) <= 2


def test_a_restart_refuses_nobody(running: Running) -> None:
    """It is systemd that holds the port: whoever comes in between waits."""
    answers: list[int] = []
    has_ended = threading.Event()

    def ask() -> None:
        while not has_ended.wait(0.02):
            answers.append(plain_http.get(f"{running.url}/healthz", timeout=20).status)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(lambda: len(answers) > 20, within=20, what="answers")

    code = running.web.stop()
    before = len(answers)
    running.web = running.start_web()

    wait_until(lambda: len(answers) > before + 20, within=20, what="answers again")
    has_ended.set()
    asking.join()
    assert (0, {200}) == (code, set(answers))
