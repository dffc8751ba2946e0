"""`token-server dev` where it cannot start: a sentence, and nothing has been started."""

import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.processes import ROOT, clean_environ, free_port

ELSEWHERE = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "secret",
}


def refusal(environ: Mapping[str, str], folder: Path = ROOT) -> str:
    """Run it, expect exit code 1 and no sign of a started process; return what it says."""
    answer = subprocess.run(
        [str(Path(sys.executable).parent / "token-server"), "dev"],
        env={**clean_environ(), "PORT": str(free_port()), **environ},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (1, "") == (answer.returncode, answer.stdout)
    return answer.stderr


def test_a_taken_port_is_named() -> None:
    """The commonest trouble: yesterday's `make dev` in another terminal."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])

        said = refusal({"PORT": port})

    assert f"port {port} is taken" in said


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        pytest.param({"LIVEKIT_SERVER_BIN": "/nowhere"}, "LIVEKIT_SERVER_BIN is not", id="binary"),
        pytest.param({"LIVEKIT_URL": "wss://x.example"}, "LIVEKIT_API_KEY and", id="no-key"),
        pytest.param({"PORT": "web"}, "PORT must be a port", id="port"),
    ],
)
def test_what_is_wrong_is_said_in_words(environ: dict[str, str], sentence: str) -> None:
    """A sentence that says what to do, not a traceback."""
    assert sentence in refusal(environ)


def test_outside_the_project_it_says_so(tmp_path: Path) -> None:
    """`token-server` is on PATH wherever .venv is active."""
    assert "there is no Procfile" in refusal({}, tmp_path)


def test_two_processes_of_one_name_are_refused(tmp_path: Path) -> None:
    """One of them would have run unseen."""
    (tmp_path / "Procfile").write_text("web: sleep 1000\nweb: sleep 1000\n")

    assert "two processes have the same name" in refusal(ELSEWHERE, tmp_path)
