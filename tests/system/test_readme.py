"""The commands of README.md and docs/http.md do what they say, in the order they are typed."""

import json
from pathlib import Path

import pytest

from tests.processes import LiveKitServer, clean_environ, printed_in_shell, run_in_shell
from tests.snippets import snippets

pytestmark = pytest.mark.live

COMMANDS = [*snippets("README.md", "sh"), *snippets("docs/http.md", "sh")]
DRY_RUN = [command.text for command in COMMANDS if "--check-config" in command.text]
CURLS = [command.text for command in COMMANDS if command.text.startswith("curl ")]
RUNS = [command for command in COMMANDS if command.text in (*DRY_RUN, *CURLS)]


@pytest.mark.parametrize("command", CURLS, ids=range(len(CURLS)))
def test_a_curl_of_the_readme_is_answered_by_make_dev(dev_port: int, command: str) -> None:
    """The first five minutes."""
    answer = json.loads(printed_in_shell(command.replace("8080", str(dev_port)), clean_environ()))

    assert answer.get("status") == "ready" or answer["room_name"] == "kitchen"


@pytest.mark.parametrize("command", DRY_RUN, ids=["dry run"])
def test_the_dry_run_of_a_deployment_passes(command: str, tmp_path: Path) -> None:
    """What an operator runs before a deploy."""
    with LiveKitServer(tmp_path) as livekit:
        printed_in_shell(command, livekit.environ())


@pytest.mark.parametrize("command", DRY_RUN, ids=["dry run"])
def test_the_dry_run_names_what_is_missing(command: str) -> None:
    """All of it at once, and the sentence for TOKEN_AUTH."""
    done = run_in_shell(command, clean_environ())

    assert 0 != done.returncode
    assert all(f"{name} must be set" in done.stderr for name in ("LIVEKIT_URL", "TOKEN_AUTH"))
