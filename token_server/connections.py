"""Kept-alive HTTP connections to one server, used from the caller's own thread.

httptools reads the answers: through http.client a call takes 0.25 ms of processor time, through
urllib3 0.37, and that is more than all else that a /token request does.
"""

import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools

_BUFFER = 65536
_PORTS = {"http": 80, "https": 443}
# What a burst has opened beyond this is closed after use.
_MOST_IDLE = 32


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long the server may take, in seconds: to be connected to, and for a whole answer."""

    connect: float
    answer: float


@dataclass
class HttpAnswer:
    """What the server says; names of headers in lower case. httptools fills it in."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_complete: bool = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        """Take in a part of the body."""
        self.body += part

    def on_message_complete(self) -> None:
        """Know that there is no more."""
        self.is_complete = True


class CutOffError(Exception):
    """The connection ended before the answer did; the request may have arrived, or not."""


class Connections:
    """A pool: as many connections as calls at the same time. Thread-safe."""

    def __init__(self, url: str, timeouts: Timeouts) -> None:
        self._idle: deque[socket.socket] = deque()
        parts = urlsplit(url)
        self._address = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        self._host = parts.netloc
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._timeouts = timeouts

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        """Send a POST and read the whole answer.

        Raises:
            CutOffError: The server closed the connection under our feet, or spoke no HTTP.
            OSError: It cannot be reached, or not in time (TimeoutError).
        """
        lines = [f"POST {path} HTTP/1.1", f"Host: {self._host}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = "\r\n".join((*lines, "", "")).encode("latin-1") + body
        connection = self._take()
        try:
            answer, is_kept = self._exchange(connection, request)
        except (ConnectionError, httptools.HttpParserError) as error:
            connection.close()
            raise CutOffError(type(error).__name__) from error
        except BaseException:
            connection.close()
            raise
        if is_kept and len(self._idle) < _MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def close(self) -> None:
        """Close what nobody uses at the moment."""
        while self._idle:
            self._idle.pop().close()

    def _exchange(self, connection: socket.socket, request: bytes) -> tuple[HttpAnswer, bool]:
        deadline = time.monotonic() + self._timeouts.answer
        connection.settimeout(self._timeouts.answer)
        connection.sendall(request)
        answer = HttpAnswer()
        parser = httptools.HttpResponseParser(answer)
        while not answer.is_complete:
            # A server that drips its bytes gets no more time than one that is silent.
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            received = connection.recv(_BUFFER)
            if not received:
                raise ConnectionError
            parser.feed_data(received)
        answer.status = parser.get_status_code()
        closes = answer.headers.get("connection", "").lower() == "close"
        return answer, parser.get_http_version() == "1.1" and not closes

    def _take(self) -> socket.socket:
        """Return the connection that was used last and has not ended, or a new one."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._connect()
            if not _has_ended(connection):
                return connection
            connection.close()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(self._address, timeout=self._timeouts.connect)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            return connection
        try:
            return self._tls.wrap_socket(connection, server_hostname=self._address[0])
        except BaseException:
            connection.close()
            raise

    def __del__(self) -> None:
        """Leave no socket to the garbage collector."""
        self.close()


def _has_ended(connection: socket.socket) -> bool:
    """Whether the server has closed an idle connection: then there is an end to be read.

    Not by `select`: it fails for the 1,024th open file of a process and every later one.
    """
    connection.settimeout(0)
    try:
        connection.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    return True
