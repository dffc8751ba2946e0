"""Stands before LiveKit and has it under a path, as a reverse proxy does; WebSockets too."""

import socket
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests import plain_http
from tests.loopback import Loopback, ProxyHandler
from tests.raw_server import relay


class PathProxy(Loopback):
    """LiveKit under one path; nothing is found outside it.

    Attributes:
        paths: What was asked for, as it came.
    """

    def __init__(self, livekit_url: str, path: str) -> None:
        self.paths: list[str] = []
        self._target, self._path = livekit_url.replace("ws", "http", 1), path
        super().__init__(self._handler())
        self.url = f"ws://127.0.0.1:{self.port}{path}"

    def inner(self, path: str) -> str | None:
        """Return what LiveKit is asked for; None if that is not for LiveKit."""
        self.paths.append(path)
        return path.removeprefix(self._path) if path.startswith(f"{self._path}/") else None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(ProxyHandler):
            """Passes on to LiveKit."""

            def do_POST(self) -> None:  # noqa: N802  # http.server looks for this name
                """Pass one call on."""
                body, headers = self.received()
                if path := self._inner():
                    url = proxy._target + path
                    self.respond(plain_http.post(url, body=body, headers=headers))

            def do_GET(self) -> None:  # noqa: N802
                """Pass all on, both ways, until one side ends it."""
                self.close_connection = True
                if path := self._inner():
                    lines = [f"GET {path} HTTP/1.1", *map(": ".join, self.headers.items())]
                    head = "".join(f"{line}\r\n" for line in lines)
                    livekit = urlsplit(proxy._target)
                    with socket.create_connection((livekit.hostname, livekit.port)) as server:
                        server.sendall(f"{head}\r\n".encode())
                        relay(self.connection, server)

            def _inner(self) -> str | None:
                path = proxy.inner(self.path)
                if path is None:
                    self.send_error(404)
                return path

        return Handler
