"""Stands between the token server and LiveKit's API, and holds one call up for good."""

from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Self

import httpx

_HEADERS = ("Content-Type", "Authorization")
_SECONDS = 10.0


class Held(Enum):
    """Where a call is held up."""

    BEFORE = "LiveKit never hears of it"
    AFTER = "LiveKit has done it, and nobody hears its answer"


class _Server(ThreadingHTTPServer):
    proxy: "LiveKitProxy"


class LiveKitProxy:
    """Passes on every call except the first one of a method, which it never answers."""

    def __init__(self, livekit_url: str, method: str, held: Held) -> None:
        self.target = livekit_url.replace("ws", "http", 1)
        self.method, self.held = method, held
        self.has_held, self._ends = Event(), Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self

    @property
    def url(self) -> str:
        """What the token server takes for LiveKit."""
        return f"ws://127.0.0.1:{self._server.server_port}"

    def wait_until_held(self) -> None:
        """Wait for the call that is held up."""
        assert self.has_held.wait(_SECONDS), f"no {self.method}"

    def pass_on(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response | None:
        """Return LiveKit's answer; None if the caller is not to have it."""
        is_held = path.endswith(f"/{self.method}") and not self.has_held.is_set()
        answer = None
        if not is_held or self.held is Held.AFTER:
            answer = httpx.post(self.target + path, content=body, headers=headers, trust_env=False)
        if is_held:
            self.has_held.set()
            self._ends.wait()
            return None
        return answer

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Pass one call on."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name: self.headers[name] for name in _HEADERS if name in self.headers}
        answer = self.server.proxy.pass_on(self.path, body, headers)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
