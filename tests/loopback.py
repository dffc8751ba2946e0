"""What the made-up servers and proxies of tests have in common."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self

from urllib3 import BaseHTTPResponse

_PASSED_ON = ("Content-Type", "Authorization")


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that was killed: that is what some tests do."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Loopback:
    """A real HTTP server on 127.0.0.1, with a thread for each connection; a context manager."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        """Listen on a port; 0: on any that is free."""
        self._server = _Server(("127.0.0.1", port), handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class ProxyHandler(BaseHTTPRequestHandler):
    """One connection to a proxy, kept alive as LiveKit and its clients do."""

    protocol_version = "HTTP/1.1"

    def received(self) -> tuple[bytes, dict[str, str]]:
        """Read the request's body, and the headers that are passed on."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        return body, {name: self.headers[name] for name in _PASSED_ON if name in self.headers}

    def respond(self, answer: BaseHTTPResponse, date: str = "") -> None:
        """Send an answer on; with another date than now, if one is given."""
        self.send_response_only(answer.status)
        self.send_header("Date", date or self.date_time_string())
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer.data)))
        self.end_headers()
        self.wfile.write(answer.data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
