"""The load generator: kept-alive connections on raw sockets, driven by one thread with epoll.

It costs some 20 µs of processor time per request, the same for every server. The next request
goes out on a connection as soon as the last one there is answered.
"""

import itertools
import re
import selectors
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol, Self

_DIGITS = 8
# Stands for a number of eight digits that each request has for itself.
NUMBER = "#" * _DIGITS
_CLOSES = re.compile(rb"^connection: *close\r?$", re.IGNORECASE | re.MULTILINE)
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.1 (\d\d\d) ")
_SUCCESS = 2  # the first digit
_BUFFER = 65536
_PATIENCE_SECONDS = 10.0
# Between two connections that are opened: long enough for the servers to be busy with the last.
_OPENING_SECONDS = 0.03
_DRIVE_SECONDS = 1.0


class Requests(Protocol):
    """What is asked of which port of 127.0.0.1."""

    @property
    def port(self) -> int:
        """Who is asked."""

    def request(self, number: int) -> bytes:
        """Return the bytes of one request."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is asked of which port.

    Attributes:
        port: Of 127.0.0.1.
        path: The path of the POST.
        body: With NUMBER where each request differs.
        headers: Beyond Host and Content-Length.
        numbers: How many different numbers there are; None: no request repeats another's.
    """

    port: int
    path: str
    body: bytes
    headers: tuple[str, ...]
    numbers: int | None = None

    def request(self, number: int) -> bytes:
        """Return the bytes of one request."""
        head = (f"POST {self.path} HTTP/1.1", "Host: 127.0.0.1", *self.headers)
        lines = "\r\n".join((*head, f"Content-Length: {len(self.body)}", "", "")).encode()
        return lines + self.body_of(number)

    def body_of(self, number: int) -> bytes:
        """Return the body of one request."""
        digits = str(number % self.numbers if self.numbers else number).zfill(_DIGITS)
        return self.body.replace(NUMBER.encode(), digits.encode())


@dataclass(frozen=True, kw_only=True)
class Load:
    """What came of it: each answer's milliseconds, and over how many seconds."""

    milliseconds: list[float]
    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.milliseconds) / self.seconds


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sent_at, self._answer, self.status, self.is_kept = 0.0, b"", 0, True

    def send(self, request: bytes) -> None:
        self._answer, self._sent_at = b"", time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> float | None:
        """Take what has come; return the seconds it took once the answer is complete."""
        received = self.socket.recv(_BUFFER)
        if not received:
            raise ConnectionError(f"closed after {self._answer!r}")
        self._answer += received
        head, separator, body = self._answer.partition(b"\r\n\r\n")
        length = _CONTENT_LENGTH.search(head)
        if not separator or (length and len(body) < int(length[1])):
            return None
        status = _STATUS.match(head)
        if not length or not status:
            raise ConnectionError(f"answered {self._answer!r}")
        self.status, self.is_kept = int(status[1]), not _CLOSES.search(head)
        return time.perf_counter() - self._sent_at


def put_load_on(target: Target, *, connections: int, seconds: float) -> Load:
    """Ask over so many connections for so long; every answer must be a success.

    The connections are opened one after the other under load, before the seconds begin: so that
    the server's processes share them, and are warm.

    Raises:
        ConnectionError: The server closed a connection or answered anything but 2xx.
    """
    with _Driver(target) as driver:
        for _ in range(connections):
            driver.open()
            driver.drive(_OPENING_SECONDS)
        load = driver.drive(seconds)
    if refused := [status for status in load.statuses if status // 100 != _SUCCESS]:
        raise ConnectionError(f"answered {refused}")
    return load


def ask_often(requests: Requests, *, connections: int, count: int) -> Counter[int]:
    """Ask at least so often over so many connections; return how often each status came back.

    Raises:
        ConnectionError: The server closed a connection.
    """
    statuses: Counter[int] = Counter()
    with _Driver(requests) as driver:
        for _ in range(connections):
            driver.open()
        while statuses.total() < count:
            statuses += driver.drive(_DRIVE_SECONDS).statuses
    return statuses


class _Driver:
    """Keeps one request on its way on every connection, while it is told to drive."""

    def __init__(self, target: Requests) -> None:
        self._target = target
        self._numbers = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._connections: list[_Connection] = []

    def open(self) -> None:
        """Open one more connection and ask."""
        connection = _Connection(self._target.port)
        self._connections.append(connection)
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._ask(connection)

    def drive(self, seconds: float) -> Load:
        """Go on for so long, or to the first answer, and return what was answered in that time."""
        milliseconds: list[float] = []
        statuses: Counter[int] = Counter()
        started = time.perf_counter()
        while (now := time.perf_counter()) < started + seconds or not milliseconds:
            if now > started + seconds + _PATIENCE_SECONDS:
                raise ConnectionError("no answer")
            for key, _ in self._selector.select(max(0.01, started + seconds - now)):
                took = key.data.receive()
                if took is not None:
                    milliseconds.append(1000 * took)
                    statuses[key.data.status] += 1
                    self._ask_again(key.data)
        return Load(milliseconds=milliseconds, seconds=now - started, statuses=statuses)

    def _ask_again(self, connection: _Connection) -> None:
        """Ask over the same connection; over a new one where the server ends it, as it says."""
        if connection.is_kept:
            self._ask(connection)
            return
        self._selector.unregister(connection.socket)
        self._connections.remove(connection)
        connection.socket.close()
        self.open()

    def _ask(self, connection: _Connection) -> None:
        connection.send(self._target.request(next(self._numbers)))

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        for connection in self._connections:
            connection.socket.close()
        self._selector.close()
