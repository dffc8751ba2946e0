"""The README's commands do what it says, in the order a newcomer types them."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT, LiveKitServer, Process, clean_environ, free_port

pytestmark = pytest.mark.live

COMMANDS = re.findall(
    r"^```sh\n(.*?)\n```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE
)
FRONT_DOOR = ["make dev", "make test"]
DRY_RUN = [command for command in COMMANDS if "--check-config" in command]
CURLS = [command for command in COMMANDS if command.startswith("curl ")]


@pytest.fixture(scope="module")
def dev_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where `make dev`, typed as the README says it, answers."""
    port = free_port()
    environ = clean_environ() | {"PORT": str(port)}
    with Process(["make", "dev"], environ, tmp_path_factory.mktemp("dev") / "dev.log") as dev:
        dev.wait_for_output(f"http://127.0.0.1:{port}", within=120)
        yield port


def run(command: str, environ: dict[str, str]) -> str:
    """Run a command as a shell does; return what it prints."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def test_every_command_of_the_readme_is_known_here() -> None:
    """A command that no test runs is one that will be wrong. `make test` runs this file."""
    assert sorted(COMMANDS) == sorted(FRONT_DOOR + CURLS + DRY_RUN)
    assert (3, 1) == (len(CURLS), len(DRY_RUN))


@pytest.mark.parametrize("command", CURLS, ids=range(len(CURLS)))
def test_a_curl_of_the_readme_is_answered_by_make_dev(dev_port: int, command: str) -> None:
    """The first five minutes."""
    answer = json.loads(run(command.replace("8080", str(dev_port)), clean_environ()))

    assert answer.get("status") == "ready" or answer["room_name"] == "kitchen"


@pytest.mark.parametrize("command", DRY_RUN, ids=["dry run"])
def test_the_dry_run_of_a_deployment_passes(command: str, tmp_path: Path) -> None:
    """What an operator runs before a deploy."""
    with LiveKitServer(tmp_path) as livekit:
        run(command, livekit.environ())


@pytest.mark.parametrize("command", DRY_RUN, ids=["dry run"])
def test_the_dry_run_names_what_is_missing(command: str) -> None:
    """All of it at once, and the sentence for TOKEN_AUTH."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=ROOT,
        env=clean_environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 0 != done.returncode
    assert all(f"{name} must be set" in done.stderr for name in ("LIVEKIT_URL", "TOKEN_AUTH"))
