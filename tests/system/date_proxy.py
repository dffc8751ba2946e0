"""Stands before LiveKit's API and tells another time in its Date header."""

from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import time
from typing import Self

import httpx


class _Server(ThreadingHTTPServer):
    target: str
    seconds: float


class DateProxy:
    """LiveKit, with a clock that is `seconds` ahead; a context manager."""

    def __init__(self, livekit_url: str, seconds: float) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.target = livekit_url.replace("ws", "http", 1)
        self._server.seconds = seconds
        self.url = f"ws://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Pass one call on."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name: self.headers[name] for name in ("Content-Type", "Authorization")}
        url = self.server.target + self.path
        answer = httpx.post(url, content=body, headers=headers, trust_env=False)
        self.send_response_only(answer.status_code)
        self.send_header("Date", formatdate(time() + self.server.seconds, usegmt=True))
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
