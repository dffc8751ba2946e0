"""Stands before LiveKit's API and tells another time in its Date header."""

from email.utils import formatdate
from time import time

from tests import plain_http
from tests.loopback import Loopback, ProxyHandler


class DateProxy(Loopback):
    """LiveKit, with a clock that is `seconds` ahead, until somebody sets them to another number."""

    def __init__(self, livekit_url: str, seconds: float) -> None:
        proxy, target = self, livekit_url.replace("ws", "http", 1)
        self.seconds = seconds

        class Handler(ProxyHandler):
            """Passes on to LiveKit."""

            def do_POST(self) -> None:  # noqa: N802  # http.server looks for this name
                """Pass one call on."""
                body, headers = self.received()
                url = target + self.path
                answer = plain_http.post(url, body=body, headers=headers)
                self.respond(answer, formatdate(time() + proxy.seconds, usegmt=True))

        super().__init__(Handler)
        self.url = f"ws://127.0.0.1:{self.port}"
