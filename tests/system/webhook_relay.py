"""Stands between LiveKit's webhooks and the token server, and treats them as a network may."""

from contextlib import suppress
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Self

import httpx

# Seconds between two batches, where webhooks come in the wrong order.
_BATCH_EVERY = 1.0
_HEADERS = ("Content-Type", "Authorization")


class Post(Enum):
    """What becomes of webhooks; LiveKit is told that each has arrived."""

    PROMPT = "prompt"
    LOST = "lost"
    DOUBLED = "twice each"
    REVERSED = "late, those of a second in reversed order"


class _Server(ThreadingHTTPServer):
    relay: "WebhookRelay"


class WebhookRelay:
    """Where LiveKit sends its webhooks to; `target` is where they should have gone."""

    def __init__(self) -> None:
        self.target = ""
        self.post = Post.PROMPT
        self.delivered = 0
        self._batch: list[tuple[bytes, dict[str, str]]] = []
        self._lock, self._stopping = Lock(), Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.relay = self
        works = (self._server.serve_forever, self._deliver_batches)
        self._threads = [Thread(target=work, daemon=True) for work in works]

    @property
    def url(self) -> str:
        """What LiveKit is configured with."""
        return f"http://127.0.0.1:{self._server.server_port}/webhook"

    def take(self, body: bytes, headers: dict[str, str]) -> None:
        """Do to one webhook what is done at the moment."""
        if self.post is Post.REVERSED:
            with self._lock:
                self._batch.append((body, headers))
            return
        for _ in range({Post.LOST: 0, Post.DOUBLED: 2}.get(self.post, 1)):
            self._deliver(body, headers)

    def _deliver(self, body: bytes, headers: dict[str, str]) -> None:
        with suppress(httpx.TransportError):
            httpx.post(self.target, content=body, headers=headers, trust_env=False)
            self.delivered += 1

    def _deliver_batches(self) -> None:
        while not self._stopping.wait(_BATCH_EVERY):
            with self._lock:
                batch, self._batch = self._batch, []
            for body, headers in reversed(batch):
                self._deliver(body, headers)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer first: LiveKit sends a room's webhooks one after the other."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name: self.headers[name] for name in _HEADERS if name in self.headers}
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.relay.take(body, headers)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
