"""Stands between the token server and LiveKit's API, and holds one call up for good."""

from enum import Enum
from threading import Event

from urllib3 import BaseHTTPResponse

from tests import plain_http
from tests.loopback import Loopback, ProxyHandler

_SECONDS = 10.0


class Held(Enum):
    """Where a call is held up."""

    BEFORE = "LiveKit never hears of it"
    AFTER = "LiveKit has done it, and nobody hears its answer"


class LiveKitProxy(Loopback):
    """Passes on every call except the first one of a method, which it never answers."""

    def __init__(self, livekit_url: str, method: str, held: Held) -> None:
        self.target = livekit_url.replace("ws", "http", 1)
        self.method, self.held = method, held
        self.has_held, self._ends = Event(), Event()
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        """What the token server takes for LiveKit."""
        return f"ws://127.0.0.1:{self.port}"

    def wait_until_held(self) -> None:
        """Wait for the call that is held up."""
        assert self.has_held.wait(_SECONDS), f"no {self.method}"

    def pass_on(self, path: str, body: bytes, headers: dict[str, str]) -> BaseHTTPResponse | None:
        """Return LiveKit's answer; None if the caller is not to have it."""
        is_held = path.endswith(f"/{self.method}") and not self.has_held.is_set()
        answer = None
        if not is_held or self.held is Held.AFTER:
            answer = plain_http.post(self.target + path, body=body, headers=headers)
        if is_held:
            self.has_held.set()
            self._ends.wait()
            return None
        return answer

    def _handler(self) -> type[ProxyHandler]:
        proxy = self

        class Handler(ProxyHandler):
            """Passes on to LiveKit."""

            def do_POST(self) -> None:  # noqa: N802  # http.server looks for this name
                """Pass one call on."""
                answer = proxy.pass_on(self.path, *self.received())
                if answer is None:
                    self.close_connection = True
                else:
                    self.respond(answer)

        return Handler

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        super().__exit__()
