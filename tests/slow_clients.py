"""Clients that send or read too slowly."""

import contextlib
import resource
import select
import socket
from typing import Self

PIPELINED = b"GET /openapi.json HTTP/1.1\r\nHost: t\r\n\r\n"


class SlowClients:
    """Connections of several kinds, until they are closed by the other side."""

    def __init__(self) -> None:
        self._sockets: dict[int, socket.socket] = {}
        self._poll = select.epoll()
        self._allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (self._allowed[1], self._allowed[1]))

    def open(self, port: int, request: bytes, *, count: int = 1) -> None:
        """Send so much on so many connections, and read nothing."""
        for _ in range(count):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(10)
            client.connect(("127.0.0.1", port))
            client.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                client.send(request)
            self._sockets[client.fileno()] = client
            self._poll.register(client, select.EPOLLRDHUP)

    def left(self) -> int:
        """Return how many are still open, and forget the others."""
        for number, event in self._poll.poll(0, maxevents=10_000):
            if event & (select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR):
                self._poll.unregister(number)
                self._sockets.pop(number).close()
        return len(self._sockets)

    def drip(self, byte: bytes) -> None:
        """Send one more byte on each."""
        for client in self._sockets.values():
            with contextlib.suppress(OSError):
                client.send(byte)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._sockets.values():
            client.close()
        self._poll.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, self._allowed)
