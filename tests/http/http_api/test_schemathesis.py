"""schemathesis, with every check on, in front of the Procfile's web process."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from livekit.protocol.models import Room
from livekit.protocol.room import ListRoomsResponse

from tests import plain_http
from tests.processes import (
    API_KEY,
    API_SECRET,
    ROOT,
    clean_environ,
    free_port,
    start_from_procfile,
    wait_until,
)
from tests.twirp_server import TwirpServer, answer

# Of callers and operators: schemathesis shows one key everywhere.
CALLER_KEY = "a-made-up-caller-key"
LIST_ROOMS = "/twirp/livekit.RoomService/ListRooms"


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a web process listens, with this TOKEN_AUTH and a LiveKit that agrees to all."""
    is_lenient = request.param == "none"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with TwirpServer(answer(ListRoomsResponse())) as livekit:
        # Whichever room is asked for is live, or each release would be a 404.
        livekit.answers_to[LIST_ROOMS] = answer(ListRoomsResponse(rooms=[Room(name="kitchen")]))
        environ = clean_environ() | {
            "LIVEKIT_URL": livekit.url,
            "LIVEKIT_API_KEY": API_KEY,
            "LIVEKIT_API_SECRET": API_SECRET,
            "LIVEKIT_AGENT_NAME": "voice-agent",
            "TOKEN_AUTH": request.param,
            "TOKEN_KEYS": CALLER_KEY,
            "OPERATOR_KEY": CALLER_KEY,
            "AGENTLESS_TOKENS": str(int(is_lenient)),
            "DISPATCH_OPTIONS": str(int(is_lenient)),
            "WEB_CONCURRENCY": "1",
            "PORT": str(port),
        }
        with start_from_procfile("web", environ, tmp_path / "web.log"):
            wait_until(lambda: plain_http.is_ok(f"{url}/healthz"), within=20, what="web answers")
            yield url


@pytest.mark.parametrize(
    ("url", "fewer"),
    [
        pytest.param("none", [], id="none"),
        # What differs is who is let in, which takes no value of a field.
        pytest.param("key", ["--max-examples", "40"], id="key"),
    ],
    indirect=["url"],
)
def test_document_and_server_agree(url: str, fewer: list[str], tmp_path: Path) -> None:
    """What the document allows is accepted, what it forbids is refused, and answers are as told."""
    # From a file: of a document that it has fetched it does not test the address.
    (tmp_path / "openapi.json").write_bytes(plain_http.get(f"{url}/openapi.json").data)
    command = [
        *(str(Path(sys.executable).parent / "st"), "--no-color"),
        *("--config-file", str(ROOT / "tests/http/schemathesis.toml")),
        *("run", "openapi.json", "--url", url, *fewer),
        *("--header", f"Authorization: Bearer {CALLER_KEY}"),
    ]
    environ = clean_environ() | {"PYTHONPATH": str(ROOT)}

    ran = subprocess.run(
        command, cwd=tmp_path, env=environ, check=False, capture_output=True, text=True
    )

    assert (0, True) == (ran.returncode, "Tested: 6" in ran.stdout), ran.stdout + ran.stderr
