"""The waits for clients, each with a deadline: for a head, a body, or that an answer is read.

They end from outside, once a second, by closing a direction of the connection: whoever waits finds
the end of what was sent, or of who reads, and no exception comes out of nowhere.
"""

import fcntl
import os
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_RD, SHUT_RDWR, SO_LINGER, SOL_SOCKET
from typing import Any, NamedTuple

import gevent
from gevent.monkey import get_original

# Seconds for each wait; and in a process that stops.
_PATIENCE = 10.0
_PATIENCE_AT_THE_END = 1.5
# Each may leave an answer to write and a line to log: so many end at once, and then others are
# answered for as many seconds.
_ENDED_AT_ONCE = 50
_BETWEEN = 0.02
_AT_ONCE = struct.pack("ii", 1, 0)
_plain_socket: Any = get_original("socket", "socket")


class _Deadline(NamedTuple):
    patience: float
    how: int
    since: float


class ClientWaits:
    """The waits of one process, one a connection at a time.

    Attributes:
        connections: How many there are, whoever is waited for.
    """

    def __init__(self) -> None:
        self.connections = 0
        self._waits: dict[Any, _Deadline] = {}

    @contextmanager
    def connected(self, client: Any) -> Iterator[None]:  # noqa: ANN401  # a socket
        """Wait for what a client sends first, and for nothing after the block."""
        self.connections += 1
        self.to_send(client)
        try:
            yield
        finally:
            self.connections -= 1
            self.are_over(client)

    def to_send(self, client: Any, patience: float = _PATIENCE) -> None:  # noqa: ANN401  # a socket
        """Begin to wait until the client has sent something."""
        self._waits[client] = _Deadline(patience, SHUT_RD, time.monotonic())

    def to_send_on(self, client: Any) -> None:  # noqa: ANN401  # a socket
        """Wait, or wait on, for the same thing."""
        if client not in self._waits:
            self.to_send(client)

    def to_read(self, client: Any, patience: float = _PATIENCE) -> None:  # noqa: ANN401  # a socket
        """Begin to wait until the client has read an answer."""
        self._waits[client] = _Deadline(patience, SHUT_RDWR, time.monotonic())

    def until_read(self, client: Any) -> None:  # noqa: ANN401  # a socket
        """Wait on until the client has taken all that it was sent, or has been cut off."""
        while client in self._waits and _unsent(client):
            gevent.sleep(_BETWEEN)
        self.are_over(client)

    def are_over(self, client: Any) -> None:  # noqa: ANN401  # a socket
        """Wait for this client no more."""
        self._waits.pop(client, None)

    def end_overdue(self, *, is_last: bool) -> None:
        """End those that last too long; in a process that stops, nobody waits long."""
        now = time.monotonic()
        most = _PATIENCE_AT_THE_END if is_last else float("inf")
        overdue = [
            (client, wait)
            for client, wait in self._waits.items()
            if now - wait.since > min(wait.patience, most)
        ]
        for number, (client, wait) in enumerate(overdue, 1):
            if self._waits.get(client) is wait:
                del self._waits[client]
                _shut(client, wait.how)
            if number % _ENDED_AT_ONCE == 0:
                gevent.sleep(_BETWEEN)


class TimelyReader:
    """Reads a request's body within one deadline; whatever is wrong with it is an OSError.

    The connection closes after the answer unless all was read: gunicorn would read the rest for as
    long as the client sends. A client that waits to be told to send it is told only now.
    """

    def __init__(self, request: Any, waits: ClientWaits, client: Any) -> None:  # noqa: ANN401  # gunicorn's own
        self._request, self._waits, self._client = request, waits, client
        self._reader, self._must_close = request.body.reader, request.must_close
        self.is_read = False
        request.must_close = True
        self._is_told = not request._expected_100_continue  # noqa: SLF001 (gunicorn has no other)
        request._expected_100_continue = False  # noqa: SLF001

    def read(self, size: int) -> bytes:
        """Read so much, or all that is left."""
        if self.is_read:
            return b""
        self._waits.to_send_on(self._client)
        if not self._is_told:
            self._is_told = True
            self._client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        least = min(size, getattr(self._reader, "length", 0))
        try:
            part: bytes = self._reader.read(size)
        except Exception:  # noqa: BLE001 (gunicorn's are many, and quote what was sent)
            raise OSError("the body cannot be read") from None
        if len(part) < least:
            raise OSError("the body is shorter than Content-Length says")
        if len(part) < size:
            self.is_read = True
            self._waits.are_over(self._client)
            self._request.must_close = self._must_close
        return part


def _unsent(client: Any) -> bool:  # noqa: ANN401  # a socket
    """Whether the kernel still keeps something for the client; False where it does not say."""
    try:
        return any(fcntl.ioctl(client.fileno(), termios.TIOCOUTQ, bytes(4)))
    except OSError:
        return False


def _shut(client: Any, how: int) -> None:  # noqa: ANN401  # a socket
    """Close a direction, and leave TLS and gevent out: they would raise in whoever waits."""
    with suppress(OSError), _plain_socket(fileno=os.dup(client.fileno())) as same:
        if how == SHUT_RDWR:
            # The kernel would keep what was not read, and the connection, for minutes.
            same.setsockopt(SOL_SOCKET, SO_LINGER, _AT_ONCE)
        same.shutdown(how)
