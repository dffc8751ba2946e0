"""How waits for clients end; tests/system has them in a running server."""

import socket
from collections.abc import Iterator
from types import SimpleNamespace

import gevent.socket
import pytest

from token_server.http_server.client_waits import ClientWaits, TimelyReader

Pair = tuple[gevent.socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A connection: ours and the client's end."""
    ours, clients = socket.socketpair()
    clients.settimeout(5)
    with gevent.socket.socket(fileno=ours.detach()) as greened, clients:
        yield greened, clients


def received(connection: gevent.socket.socket) -> bytes:
    """Receive, and be sent to sleep by gevent until there is something."""
    return bytes(connection.recv(100))


def test_a_wait_that_lasts_too_long_ends_as_if_no_more_was_sent(pair: Pair) -> None:
    """Nothing is thrown into whoever waits."""
    waits = ClientWaits()
    waits.to_send(pair[0], patience=-1)
    reading = gevent.spawn(received, pair[0])
    gevent.sleep(0)

    waits.end_overdue(is_last=False)

    assert b"" == reading.get(timeout=5)


def test_what_has_come_before_the_end_is_read(pair: Pair) -> None:
    """A process that was held up finds both: the time is over, and a request is there."""
    waits = ClientWaits()
    waits.to_send(pair[0], patience=-1)
    pair[1].sendall(b"POST")

    waits.end_overdue(is_last=False)

    assert (b"POST", b"") == (received(pair[0]), received(pair[0]))


def test_a_client_that_does_not_read_is_left(pair: Pair) -> None:
    """What was to be sent to it fails."""
    waits = ClientWaits()
    waits.to_read(pair[0], patience=-1)
    sending = gevent.spawn(pair[0].sendall, b"x" * 10_000_000)
    gevent.sleep(0)

    waits.end_overdue(is_last=False)
    sending.join(timeout=5)

    assert isinstance(sending.exception, ConnectionError)


def test_a_wait_that_is_over_ends_nothing(pair: Pair) -> None:
    """The application has its own time."""
    waits = ClientWaits()
    waits.to_send(pair[0], patience=-1)
    waits.are_over(pair[0])

    waits.end_overdue(is_last=True)
    pair[1].sendall(b"more")

    assert b"more" == received(pair[0])


class Source:
    """A reader of gunicorn's, as far as it is asked."""

    def __init__(self, parts: list[bytes | Exception], length: int | None = None) -> None:
        self._parts = parts
        if length is not None:
            self.length = length

    def read(self, _size: int) -> bytes:
        """Return the next part, or fail."""
        part = self._parts.pop(0) if self._parts else b""
        if isinstance(part, Exception):
            raise part
        return part


def reader_of(source: Source) -> tuple[TimelyReader, SimpleNamespace]:
    """Return a reader, and the request that it reads for."""
    body = SimpleNamespace(reader=source)
    request = SimpleNamespace(body=body, must_close=False, _expected_100_continue=False)
    return TimelyReader(request, ClientWaits(), "a connection"), request


def test_a_connection_lives_on_only_behind_a_body_that_was_read() -> None:
    """Its rest would be read by gunicorn, for as long as it comes."""
    reader, request = reader_of(Source([b"12345678", b"9"]))

    parts = [(reader.read(8), request.must_close), (reader.read(8), request.must_close)]

    assert [(b"12345678", True), (b"9", False)] == parts
    assert (True, b"") == (reader.is_read, reader.read(8))


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(Source([ValueError("MaRkEr")]), id="malformed"),
        pytest.param(Source([b"1234"], length=8), id="too short"),
        pytest.param(Source([], length=8), id="nothing"),
    ],
)
def test_whatever_is_wrong_with_a_body_is_one_error_that_quotes_nothing(source: Source) -> None:
    """Werkzeug makes a 400 of it."""
    reader, request = reader_of(source)

    with pytest.raises(OSError, match="the body") as raised:
        reader.read(100)

    assert (True, False) == (request.must_close, "MaRkEr" in str(raised.value))
