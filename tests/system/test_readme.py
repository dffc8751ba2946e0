"""The commands of README.md and docs/http.md, and the dry run of a checkout, do what is said."""

import json
from pathlib import Path

import pytest

from tests.processes import LiveKitServer, clean_environ, printed_in_shell, run_in_shell
from tests.snippets import snippet, snippets

pytestmark = pytest.mark.live

COMMANDS = [*snippets("README.md", "sh"), *snippets("docs/http.md", "sh")]
DRY_RUN = snippet("docs/operating.md", ".venv/bin/gunicorn --check-config")
CURLS = [command.text for command in COMMANDS if command.text.startswith("curl ")]
RUNS = [DRY_RUN, *(command for command in COMMANDS if command.text in CURLS)]


@pytest.mark.parametrize("command", CURLS, ids=range(len(CURLS)))
def test_a_curl_of_these_pages_is_answered_by_make_dev(dev_port: int, command: str) -> None:
    """The first five minutes."""
    answer = json.loads(printed_in_shell(command.replace("8080", str(dev_port)), clean_environ()))

    assert answer.get("status") == "ready" or answer["room_name"] == "kitchen"


def test_the_dry_run_of_a_deployment_passes(tmp_path: Path) -> None:
    """What an operator runs before a deploy."""
    with LiveKitServer(tmp_path) as livekit:
        printed_in_shell(DRY_RUN.text, livekit.environ())


def test_the_dry_run_names_what_is_missing() -> None:
    """All of it at once, and the sentence for TOKEN_AUTH."""
    done = run_in_shell(DRY_RUN.text, clean_environ())

    assert 0 != done.returncode
    assert all(f"{name} must be set" in done.stderr for name in ("LIVEKIT_URL", "TOKEN_AUTH"))
