"""A LiveKit of canned answers: a real HTTP server on loopback, for what a fake cannot show."""

import json
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from google.protobuf.message import Message

from tests.loopback import Loopback


@dataclass(frozen=True)
class Canned:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


# Read the request, then close the connection without a word.
CUT = Canned(status=0)


def answer(message: Message) -> Canned:
    """Answer with this message."""
    return Canned(200, message.SerializeToString(), {"Content-Type": "application/protobuf"})


def error(code: object, status: int = 500) -> Canned:
    """Answer with an error as Twirp writes it."""
    body = json.dumps({"code": code, "msg": "MaRkEr"}).encode()
    return Canned(status, body, {"Content-Type": "application/json"})


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    path: str
    authorization: str
    body: bytes
    port: int  # the client's: the same as long as the connection is kept


class TwirpServer(Loopback):
    """Gives the answers in order, and the last one again and again.

    A path in `answers_to` has an answer of its own.
    """

    def __init__(self, *answers: Canned, certificate: Path | None = None) -> None:
        self.asked: list[Asked] = []
        self.answers = list(answers)
        self.answers_to: dict[str, Canned] = {}
        self.connections: list[socket.socket] = []
        super().__init__(self._handler())
        # So that closing it waits for each.
        self._server.daemon_threads = False
        self._scheme = "ws"
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "wss"

    @property
    def url(self) -> str:
        """What goes into LIVEKIT_URL."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def next_answer(self, path: str) -> Canned:
        """Return what is answered to a request that has come."""
        if path in self.answers_to:
            return self.answers_to[path]
        canned = self.answers[0]
        self.answers[:1] = [] if len(self.answers) > 1 else [canned]
        return canned

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            """Speaks HTTP/1.1, and keeps connections alive as LiveKit does."""

            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body in one packet, or each answer takes 40 ms

            def setup(self) -> None:
                """Take part in the closing."""
                super().setup()
                server.connections.append(self.connection)

            def do_POST(self) -> None:
                """Note the request, and give the next answer."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                authorization = self.headers["Authorization"]
                port = int(self.client_address[1])
                server.asked.append(Asked(self.path, authorization, body, port))
                canned = server.next_answer(self.path)
                if canned is CUT:
                    self.close_connection = True
                    return
                self.send_response_only(canned.status)
                for name, value in canned.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(canned.body)))
                self.end_headers()
                self.wfile.write(canned.body)

        return Handler

    def __exit__(self, *_: object) -> None:
        # First those that a client keeps open: closing the server waits for them.
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().__exit__()
