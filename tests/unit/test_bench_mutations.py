"""What `make bench` counts as a desync: by a server that has one, over real sockets."""

import selectors
import socket
from collections.abc import Callable
from contextlib import closing

import pytest

from bench.mutations.answers import Answers
from bench.mutations.clients import Client
from bench.mutations.framing import End, framing
from bench.mutations.mutants import mutant
from bench.mutations.tally import Fault, Tally
from tests.raw_server import raw_server

GET = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "methods", "end"),
    [
        (GET, [b"GET"], End.NOTHING),
        (POST + b"{}" + GET, [b"POST", b"GET"], End.NOTHING),
        (POST + b"{", [], End.CUT_OFF),
        (GET + GET[:9], [b"GET"], End.CUT_OFF),
        (GET + b" x\r\n\r\n", [b"GET"], End.WRONG),
        (GET.replace(b"\r\n", b"\n"), [b"GET"], End.WRONG),
        (GET.replace(b"1.1", b"1.0") + GET, [b"GET"], End.WRONG),
    ],
)
def test_requests_end_where_http_says(sent: bytes, methods: list[bytes], end: End) -> None:
    """And where readers may differ, nothing is claimed."""
    found = framing(sent)

    assert (methods, end) == (list(found.methods), found.end)


def test_a_mutant_can_be_made_again() -> None:
    """The same number, the same request."""
    first = [mutant(1, number, "mutant-a") for number in range(50)]

    assert first == [mutant(1, number, "mutant-a") for number in range(50)]
    assert len(set(first)) > 40


def test_answers_are_taken_one_by_one() -> None:
    """With a length, in chunks, without a body, to the end; 100 is none."""
    answers = Answers()
    answers.left = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"
        b"HTTP/1.1 400 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.0 200 OK\r\n\r\nd"
    )

    taken = [answers.take(method, is_end=True) for method in (b"GET", b"GET", b"HEAD", b"GET")]

    assert [200, 400, 200, 200] == [answer.status for answer in taken if answer]
    assert [False, False, False, True] == [answer.is_last for answer in taken if answer]
    assert b"" == answers.left


def answer(body: bytes) -> bytes:
    """Return an answer that keeps the connection."""
    return b"HTTP/1.1 400 X\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


ANOTHERS = b"canary-anothersxx"
FAULTY: dict[Fault, Callable[[bytes], bytes]] = {
    Fault.UNASKED: lambda _: answer(b"") * 2,
    Fault.NOT_OWN: lambda _: answer(b""),
    Fault.FOREIGN: lambda _: answer(ANOTHERS),
    Fault.UNANSWERED: lambda _: b"",
    Fault.ERROR: lambda _: answer(b"").replace(b"400", b"502"),
    Fault.QUOTED: lambda request: answer(request[-2_000:]),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_faulty_server_is_found_out(fault: Fault) -> None:
    """Whatever it does wrong is counted as that."""

    def serve(connection: socket.socket) -> None:
        while request := connection.recv(100_000):
            if not (given := FAULTY[fault](request)):
                return
            connection.sendall(given * max(1, len(framing(request).methods)))

    with raw_server(serve) as server:
        tally = send(server.port, range(20))

    assert tally.faults[fault] > 0


def test_a_right_server_has_no_fault() -> None:
    """One answer to each request, and then the end."""

    def serve(connection: socket.socket) -> None:
        connection.recv(100_000)
        connection.sendall(answer(b"").replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(100_000):
            pass

    with raw_server(serve) as server:
        tally = send(server.port, range(20))

    assert (20, {}) == (tally.sent, dict(tally.faults))


def send(port: int, numbers: range) -> Tally:
    """Send these mutants over one client."""
    with (
        selectors.DefaultSelector() as selector,
        closing(Client(0, port, selector, {ANOTHERS})) as client,
    ):
        client.begin(numbers)
        while not client.is_done:
            for key, _ in selector.select(0.05):
                key.data.receive()
            client.look()
    return client.tally
