"""One HTTP connection: http.client's, with total deadlines and bounded answers."""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from token_server.routes import Route

_HEAD_BYTES, _BODY_BYTES = 2**16, 2**24


@dataclass(frozen=True)
class HttpRequest:
    """What to POST, and whether it may arrive twice."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    is_repeatable: bool = False


@dataclass(frozen=True)
class HttpAnswer:
    """What the server says; the case of a header's name does not matter."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class AnswerTooLongError(OSError):
    """Nothing that we ask for is answered with so much."""


def left(deadline: float) -> float:
    """Return the seconds until then; TimeoutError if there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


class Connection(http.client.HTTPConnection):
    """A connection whose every step ends at a deadline, however slowly bytes drip in."""

    auto_open = 0  # whoever connects says so

    def __init__(self, route: Route, tls: ssl.SSLContext | None, deadline: float) -> None:
        super().__init__(route.host, route.port, timeout=left(deadline))
        self._route, self._tls, self._deadline = route, tls, deadline
        self._unsent = b""
        self.response_class = self._response  # type: ignore[assignment]
        if route.tunnel:
            self.set_tunnel(*route.tunnel)

    def connect(self) -> None:
        """Do DNS, TCP, a proxy's CONNECT, TLS; in a thread that nobody has to wait for."""
        super().connect()
        if self._tls:
            self.sock.settimeout(left(self._deadline))
            self.sock = self._tls.wrap_socket(
                self.sock, server_hostname=self._route.server_name, do_handshake_on_connect=False
            )
            self.sock.do_handshake()

    def interrupt(self) -> None:
        """End what another thread does here: gevent's handshake has no deadline of its own."""
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def ask(self, request: HttpRequest, deadline: float) -> tuple[HttpAnswer, bool]:
        """Send a request and read the whole answer; also say if the connection can be kept."""
        self._deadline = deadline
        url = self._route.prefix + request.path
        self.putrequest("POST", url, skip_host=True, skip_accept_encoding=True)
        for name, value in (*self._route.headers.items(), *request.headers.items()):
            self.putheader(name, value)
        self.putheader("Content-Length", str(len(request.body)))
        self.endheaders(request.body)
        with self.getresponse() as response:
            self._reader.allowed = _BODY_BYTES
            # Not without a number: Python sets aside at once what the server has announced.
            body = response.read(_BODY_BYTES)
        if len(body) == _BODY_BYTES:
            raise AnswerTooLongError
        if response.length:
            raise http.client.IncompleteRead(body, response.length)
        # After an "early hint" comes what belongs to this request, and not to the next.
        is_kept = not response.will_close and response.status >= HTTPStatus.OK
        return HttpAnswer(response.status, response.headers, body), is_kept

    def has_ended(self) -> bool:
        """Whether the server has closed the idle connection: then there is an end to be read.

        Not by `select`: it fails for the 1,024th open file of a process and every later one.
        """
        self.sock.settimeout(0)
        try:
            self.sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        return True

    def send(self, data: Any) -> None:  # noqa: ANN401 (http.client gives bytes)
        """Send with the rest, in one packet, as soon as an answer is waited for."""
        self._unsent += data

    def _response(self, sock: socket.socket, method: str) -> http.client.HTTPResponse:
        while self._unsent:
            sock.settimeout(left(self._deadline))
            self._unsent = self._unsent[sock.send(self._unsent) :]
        self._reader = _Reader(sock, self._deadline)
        return http.client.HTTPResponse(cast("socket.socket", self._reader), method=method)


class _Reader(io.RawIOBase):
    """What comes over a socket, until a deadline, and no more than is allowed."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._socket, self._deadline = sock, deadline
        self._raw = sock.makefile("rb", buffering=0)
        self.allowed = _HEAD_BYTES

    def makefile(self, _: str) -> io.BufferedReader:
        """Be what http.client reads from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 (any buffer)
        # What has come in time counts, however late a busy process comes to read it.
        self._socket.settimeout(max(self._deadline - time.monotonic(), 0.001))
        count = self._raw.readinto(buffer)
        self.allowed -= count or 0
        if self.allowed < 0:
            raise AnswerTooLongError
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
