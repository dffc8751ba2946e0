"""A web process of the Procfile by itself, on a LiveKit behind TLS that has no rooms."""

import json
import socket
from pathlib import Path

from tests.plain_http import Client
from tests.processes import Process, clean_environ
from tests.twirp_server import TwirpServer

JSON = {"Content-Type": "application/json"}
BODY = json.dumps({"room_name": "kitchen"}).encode()
HEAD = (
    b"POST /token HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)


class Web:
    """One running web process."""

    def __init__(self, process: Process, port: int) -> None:
        self.process, self.port = process, port
        self.http = Client(f"http://127.0.0.1:{port}")

    def connect(self) -> socket.socket:
        """Open a connection to it, and say nothing yet."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def answers(self) -> bool:
        """Whether it serves requests."""
        return self.http.is_ok("/healthz")


def environ_for(livekit: TwirpServer, port: int, tmp_path: Path) -> dict[str, str]:
    """Return the environment of a web process that trusts this LiveKit's certificate."""
    return clean_environ() | {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": "devkey",
        "LIVEKIT_API_SECRET": "x" * 32,
        "LIVEKIT_AGENT_NAME": "voice-agent",
        "TOKEN_AUTH": "none",
        # More where two do something that one does not: each start costs processor time.
        "WEB_CONCURRENCY": "1",
        "PORT": str(port),
        "SSL_CERT_FILE": str(tmp_path / "certificate.pem"),
    }


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str]]:
    """Read one answer, and no more; return its status and headers."""
    with connection.makefile("rb", buffering=0) as file:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = file.read(1)
            assert byte, f"closed after {head!r}"
            head += byte
        status, *lines = head.decode().strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        left = int(headers["Content-Length"])
        while left:
            part = file.read(left)
            assert part, f"closed {left} bytes too soon"
            left -= len(part)
    return int(status.split()[1]), headers
