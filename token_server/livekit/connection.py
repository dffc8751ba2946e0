"""One HTTP connection, with total deadlines and bounded answers."""

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

import httptools

from token_server.livekit.routes import Route

_HEAD_BYTES, _BODY_BYTES, _AT_ONCE = 2**16, 2**24, 2**16
# Without one of these, an answer ends where its connection does.
_LENGTHS = {"content-length", "transfer-encoding"}


@dataclass(frozen=True)
class HttpRequest:
    """What to send, whether it may arrive twice, and how long the answer's body may be."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    is_repeatable: bool = False
    method: str = "POST"
    most_bytes: int = _BODY_BYTES


@dataclass(frozen=True)
class HttpAnswer:
    """What the server says; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
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
        unsent = _written(self._route, request)
        while unsent:
            self.sock.settimeout(left(deadline))
            unsent = unsent[self.sock.send(unsent) :]
        answer = _AnswerReader(request.most_bytes)
        while not answer.is_whole:
            # What has come in time counts, however late a busy process comes to read it.
            self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
            answer.take(self.sock.recv(_AT_ONCE))
        return HttpAnswer(answer.status, answer.headers, bytes(answer.body)), answer.keeps

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


class _AnswerReader:
    """An answer while it comes. The methods that begin with `on_` are what httptools calls."""

    def __init__(self, most_bytes: int) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._bytes, self._most_bytes = 0, most_bytes
        self.is_whole = self.keeps = False
        self.on_message_begin()

    def take(self, received: bytes) -> None:
        """Go on reading.

        Raises:
            AnswerTooLongError: It is longer than what we ask for can be.
            ConnectionError: It ends before it is whole.
        """
        if not received:
            if not self._has_head or self._says_its_length:
                raise ConnectionError
            self.is_whole = True
            return
        self._bytes += len(received)
        if self._bytes > (self._most_bytes if self._has_head else _HEAD_BYTES):
            raise AnswerTooLongError
        try:
            self._parser.feed_data(received)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise ConnectionError(type(error).__name__) from error
        if self.is_whole:
            del self._parser  # Each knows the other: nothing is left for the garbage collector.

    def on_message_begin(self) -> None:
        if self.is_whole:
            raise ValueError("nobody has asked for more")
        self._has_head = self._says_its_length = False
        self.status, self.body = 0, bytearray()
        self.headers: dict[str, str] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._has_head, self.status = True, self._parser.get_status_code()
        self._says_its_length = not self.headers.keys().isdisjoint(_LENGTHS)

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        # Before it may come "early hints" and the like.
        self.is_whole = self.status >= HTTPStatus.OK
        self.keeps = self.is_whole and self._parser.should_keep_alive()


def _written(route: Route, request: HttpRequest) -> bytes:
    length = {"Content-Length": str(len(request.body))} if request.method == "POST" else {}
    headers = {**route.headers, **request.headers, **length}
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    target = f"{route.prefix}{request.path}"
    head = f"{request.method} {target} HTTP/1.1\r\n{''.join(lines)}\r\n"
    return head.encode("latin-1") + request.body
