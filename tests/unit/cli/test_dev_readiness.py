"""What `make dev` says while a part of the stack is not ready."""

from http.server import BaseHTTPRequestHandler

import pytest

from tests.loopback import Loopback
from tests.processes import free_port
from token_server.cli.dev.readiness import answers_ok


def answering(status: int, body: bytes) -> Loopback:
    """Return a server that answers every GET so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(status)
            self.end_headers()
            self.wfile.write(body)

    return Loopback(Handler)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        pytest.param(200, b"OK", None, id="ready"),
        pytest.param(503, b'{"msg": "no LiveKit"}', " answers 503 (no LiveKit)", id="ours"),
        pytest.param(500, b"<html>", " answers 500", id="no JSON"),
        pytest.param(500, b"[1]", " answers 500", id="no object"),
    ],
)
def test_an_answer_says_why_a_part_is_not_ready(
    status: int, body: bytes, expected: str | None
) -> None:
    """The person at the terminal reads it instead of three logs."""
    with answering(status, body) as server:
        url = f"http://127.0.0.1:{server.port}"
        why = answers_ok(url)()

    assert (expected and url + expected) == why


def test_a_part_that_does_not_listen_yet_does_not_answer() -> None:
    """That is the first second of every start."""
    url = f"http://127.0.0.1:{free_port()}/readyz"

    assert f"{url} does not answer yet" == answers_ok(url)()
