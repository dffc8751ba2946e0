"""Stands before LiveKit, passes all on, and answers some calls as a LiveKit in trouble does."""

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

from urllib3 import BaseHTTPResponse, HTTPResponse

from tests import plain_http
from tests.loopback import Loopback, ProxyHandler

Rewrite = Callable[[bytes], bytes]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Which calls are answered otherwise, and how.

    Attributes:
        status: What the caller is told.
        body: Likewise.
        method: Only calls of this one; "" for all.
        of: Only where LiveKit has answered so; 0: whatever it says, and it is not asked.
    """

    status: int
    body: bytes
    method: str = ""
    of: int = 0


class FaultyLiveKit(Loopback):
    """LiveKit with faults, until it is mended; WebSockets pass.

    Args:
        livekit_url: The real one.
        faults: What is answered otherwise.
        rewrite: What is done to all that it says over WebSockets.
        certificate: A PEM file that has the key too; with it only TLS is spoken.
    """

    def __init__(
        self,
        livekit_url: str,
        faults: Sequence[Fault] = (),
        *,
        rewrite: Rewrite | None = None,
        certificate: Path | None = None,
    ) -> None:
        self._target = livekit_url.replace("ws", "http", 1)
        self._faults, self._rewrite = faults, rewrite
        super().__init__(self._handler())
        self.url = f"{'wss' if certificate else 'ws'}://127.0.0.1:{self.port}"
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    def mend(self) -> None:
        """Have no faults any more."""
        self._faults, self._rewrite = (), None

    def _answer(self, path: str, body: bytes, headers: dict[str, str]) -> BaseHTTPResponse:
        faults = [one for one in self._faults if one.method in {"", path.rpartition("/")[2]}]
        if fault := next((one for one in faults if not one.of), None):
            return _made_up(fault)
        answer = plain_http.post(self._target + path, body=body, headers=headers)
        return next((_made_up(one) for one in faults if one.of == answer.status), answer)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(ProxyHandler):
            """Passes on to LiveKit."""

            def do_POST(self) -> None:  # noqa: N802  # http.server looks for this name
                """Pass one call on, or not."""
                body, headers = self.received()
                self.respond(proxy._answer(self.path, body, headers))

            def do_GET(self) -> None:  # noqa: N802
                """Pass all on, both ways, until one side ends it."""
                self.close_connection = True
                lines = [f"GET {self.path} HTTP/1.1", *map(": ".join, self.headers.items())]
                livekit = urlsplit(proxy._target)
                with socket.create_connection((livekit.hostname, livekit.port)) as server:
                    server.sendall("\r\n".join((*lines, "", "")).encode())
                    _relay(self.connection, server, proxy._rewrite or bytes)

        return Handler


def _made_up(fault: Fault) -> BaseHTTPResponse:
    kind = "application/json" if fault.body.startswith(b"{") else "text/plain"
    return HTTPResponse(fault.body, {"Content-Type": kind}, fault.status)


def _relay(client: socket.socket, server: socket.socket, rewrite: Rewrite) -> None:
    onward = threading.Thread(target=_pass_on, args=(client, server, bytes))
    onward.start()
    _pass_on(server, client, rewrite)
    onward.join()


def _pass_on(source: socket.socket, target: socket.socket, rewrite: Rewrite) -> None:
    with suppress(OSError):
        while received := source.recv(65536):
            target.sendall(rewrite(received))
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
