"""Kept-alive HTTP connections to one server, used from the caller's own thread.

On the standard library: a call through a general client's layers costs more than all else that a
/token request does (measured: 0.37 ms against 0.14).
"""

import select
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long the server may take, in seconds: to be connected to, and between two bytes."""

    connect: float
    read: float


@dataclass(frozen=True)
class HttpAnswer:
    """What the server says."""

    status: int
    headers: Message
    body: bytes


class CutOffError(Exception):
    """The connection ended before the answer came; the request may have arrived, or not."""


class Connections:
    """A pool: as many connections as threads that call at the same time. Thread-safe."""

    def __init__(self, url: str, timeouts: Timeouts) -> None:
        parts = urlsplit(url)
        self._class = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._netloc, self._timeouts = parts.netloc, timeouts
        self._idle: deque[HTTPConnection] = deque()

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        """Send a POST and read the whole answer.

        Raises:
            CutOffError: The server closed the connection under our feet.
            OSError: It cannot be reached, or not in time (TimeoutError).
        """
        connection = self._take()
        try:
            if connection.sock is None:
                self._open(connection)
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answer = HttpAnswer(response.status, response.headers, response.read())
        except (HTTPException, ConnectionResetError, BrokenPipeError) as error:
            connection.close()
            raise CutOffError(type(error).__name__) from error
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return answer

    def close(self) -> None:
        """Close what nobody uses at the moment."""
        while self._idle:
            self._idle.pop().close()

    def _open(self, connection: HTTPConnection) -> None:
        connection.connect()
        connection.sock.settimeout(self._timeouts.read)

    def _take(self) -> HTTPConnection:
        """Return the connection that was used last and is not closed, or a new one."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._class(self._netloc, timeout=self._timeouts.connect)
            if connection.sock is not None and not _has_ended(connection):
                return connection
            connection.close()

    def __del__(self) -> None:
        """Leave no socket to the garbage collector."""
        self.close()


def _has_ended(connection: HTTPConnection) -> bool:
    """Whether the server has closed an idle connection: then there is an end to be read."""
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)
