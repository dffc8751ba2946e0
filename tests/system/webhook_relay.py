"""Stands between LiveKit's webhooks and the token server, and treats them as a network may."""

from contextlib import suppress
from enum import Enum
from threading import Event, Lock, Thread
from typing import Self
from urllib.parse import urljoin

from urllib3.exceptions import HTTPError

from tests import plain_http
from tests.loopback import Loopback, ProxyHandler

# Seconds between two batches, where webhooks come in the wrong order.
_BATCH_EVERY = 1.0


class Post(Enum):
    """What becomes of webhooks; LiveKit is told that each has arrived."""

    PROMPT = "prompt"
    LOST = "lost"
    DOUBLED = "twice each"
    REVERSED = "late, those of a second in reversed order"


class WebhookRelay(Loopback):
    """Takes the place where LiveKit sends its webhooks; `target` is where they should go.

    Whatever else comes there goes on to the same server at once: what a worker tells.
    """

    def __init__(self, port: int = 0) -> None:
        self.target = ""
        self.post = Post.PROMPT
        self.delivered = 0
        self._batch: list[tuple[bytes, dict[str, str]]] = []
        self._lock, self._stopping = Lock(), Event()
        self._batches = Thread(target=self._deliver_batches, daemon=True)
        super().__init__(self._handler(), port)

    @property
    def url(self) -> str:
        """What LiveKit is configured with."""
        return f"http://127.0.0.1:{self.port}/webhook"

    def take(self, body: bytes, headers: dict[str, str]) -> None:
        """Do to one webhook what is done at the moment."""
        if self.post is Post.REVERSED:
            with self._lock:
                self._batch.append((body, headers))
            return
        for _ in range({Post.LOST: 0, Post.DOUBLED: 2}.get(self.post, 1)):
            self._deliver(body, headers)

    def _deliver(self, body: bytes, headers: dict[str, str]) -> None:
        with suppress(HTTPError):
            plain_http.post(self.target, body=body, headers=headers)
            self.delivered += 1

    def _deliver_batches(self) -> None:
        while not self._stopping.wait(_BATCH_EVERY):
            with self._lock:
                batch, self._batch = self._batch, []
            for body, headers in reversed(batch):
                self._deliver(body, headers)

    def _handler(self) -> type[ProxyHandler]:
        relay = self

        class Handler(ProxyHandler):
            """Takes webhooks from LiveKit."""

            def do_POST(self) -> None:  # noqa: N802  # http.server looks for this name
                """Answer first: LiveKit sends a room's webhooks one after the other."""
                body, headers = self.received()
                if self.path != "/webhook":
                    self._pass_on(body, headers)
                    return
                self.send_response(200)
                self.send_header("Content-Length", "0")
                # Or LiveKit goes on talking to us when another server has our place.
                self.send_header("Connection", "close")
                self.end_headers()
                relay.take(body, headers)

            def _pass_on(self, body: bytes, headers: dict[str, str]) -> None:
                self.close_connection = True
                if relay.target:
                    with suppress(HTTPError):
                        url = urljoin(relay.target, self.path)
                        self.respond(plain_http.post(url, body=body, headers=headers))

        return Handler

    def __enter__(self) -> Self:
        self._batches.start()
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        super().__exit__()
