"""Where the doctor asks the worker of its own machine: where that one listens."""

import json
import socket
from http.server import BaseHTTPRequestHandler

import pytest

from tests.environ import environ
from tests.loopback import Loopback
from tests.processes import free_port
from tests.raw_server import raw_server
from token_server.cli.doctor.patient import Options, admit
from token_server.cli.doctor.server import Server
from token_server.cli.doctor.told_workers import ask_told_workers

SILENT = {
    "agent_name": "voice-agent",
    "host": socket.gethostname(),
    "state": "silent",
    "calls": 0,
    "max_calls": 25,
    "seconds_since_heard": 9.0,
}


class Telling(BaseHTTPRequestHandler):
    """A token server that has not heard of its worker for a while."""

    def do_GET(self) -> None:
        """Answer GET /workers."""
        body = json.dumps({"workers": [SILENT]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.mark.parametrize(
    ("listens_on", "asked"),
    [
        ("", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104 (a setting, nobody listens)
        ("::", "127.0.0.1"),
        ("::1", "::1"),
        (" 10.1.2.3 ", "10.1.2.3"),
        ("no address", "127.0.0.1"),
    ],
)
def test_a_worker_is_asked_where_it_listens(listens_on: str, asked: str) -> None:
    """LIVEKIT_AGENT_HOST=::1 is not on 127.0.0.1."""
    _, patient = admit(
        environ(LIVEKIT_AGENT_HOST=listens_on), Options(server_url="http://a.example")
    )

    assert patient is not None
    assert asked == patient.worker_host


def test_a_frozen_worker_on_another_address_is_not_dead() -> None:
    """It was told to have ended, since nobody listens at its port on 127.0.0.1."""
    with Loopback(Telling) as web, raw_server(lambda _: None, "::1") as worker:
        server = Server(url=f"http://127.0.0.1:{web.port}")
        (frozen,) = ask_told_workers(server, "::1", worker.port)
        (ended,) = ask_told_workers(server, "::1", free_port())

    assert (False, True) == (frozen.is_gone, ended.is_gone)
