"""The parts of our gunicorn worker; tests/system has it in a running server."""

import socket
from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from token_server.gunicorn_worker import Wait
from token_server.worker_sockets import Answering, Resumed


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection: ours and the client's end."""
    ours, clients = socket.socketpair()
    clients.settimeout(0.05)
    with ours, clients:
        yield ours, clients


def test_an_answer_leaves_in_one_piece(pair: tuple[socket.socket, socket.socket]) -> None:
    """The head waits for the body, so that the client wakes once."""
    answering = Answering(pair[0])

    answering.sendall(b"head\r\n\r\n")
    with pytest.raises(TimeoutError):
        pair[1].recv(100)
    answering.sendall(b"body")

    assert b"head\r\n\r\nbody" == pair[1].recv(100)


def test_the_rest_of_a_long_body_follows_at_once(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """Nothing is kept back, and nothing sent twice."""
    answering = Answering(pair[0])

    for part in (b"head ", b"body ", b"more"):
        answering.sendall(part)
    answering.flush()

    assert b"head body more" == pair[1].recv(100)


def test_an_answer_without_a_body_leaves_at_its_end(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """Such as a webhook's."""
    answering = Answering(pair[0])

    answering.sendall(b"head")
    answering.flush()
    answering.flush()

    assert b"head" == pair[1].recv(100)


def test_whatever_else_is_done_to_the_connection_comes_after_the_head(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """A file is sent by the kernel, past us."""
    answering = Answering(pair[0])

    answering.sendall(b"head ")
    answering.send(b"file")

    assert b"head file" == pair[1].recv(100)


def test_what_was_received_already_is_received_first(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """Who reads on sees all bytes, in order, and no more at once than it asks for."""
    resumed = Resumed(pair[0], b"first")
    pair[1].sendall(b"then")

    assert [b"fir", b"st", b"then"] == [resumed.recv(3), resumed.recv(99), resumed.recv(99)]
    assert pair[0].fileno() == resumed.fileno()


Pair = tuple[socket.socket, socket.socket]


def test_a_wait_that_is_ended_just_ends(pair: Pair) -> None:
    """What follows it in the worker closes the connection."""
    waits: dict[Any, Wait] = {}
    after: list[int] = []

    def serve() -> None:
        with Wait(waits, pair[0]):
            gevent.sleep(60)
        after.append(len(waits))

    greenlet = gevent.spawn(serve)
    gevent.sleep(0)
    (wait,) = waits.values()
    wait.end()
    greenlet.join(timeout=10)

    assert ([0], True) == (after, greenlet.successful())


def test_a_wait_does_not_end_before_what_has_come_is_read(pair: Pair) -> None:
    """A process that was held up finds both: the time is over, and a request is there."""
    waits: dict[Any, Wait] = {}

    def serve() -> str:
        with Wait(waits, pair[0]):
            gevent.sleep(0.05)
            return "served"
        return "closed"

    greenlet = gevent.spawn(serve)
    gevent.sleep(0)
    pair[1].sendall(b"POST")
    (wait,) = waits.values()
    wait.end()

    assert "served" == greenlet.get(timeout=10)


def test_a_request_that_comes_as_its_wait_is_ended_is_served(pair: Pair) -> None:
    """Nobody throws into an answer."""
    waits: dict[Any, Wait] = {}

    def serve() -> str:
        with Wait(waits, pair[0]):
            waits[gevent.getcurrent()].end()
        gevent.sleep(0.01)
        return "served"

    assert "served" == gevent.spawn(serve).get(timeout=10)


def test_a_request_that_fails_while_it_is_read_is_no_end_of_a_wait(pair: Pair) -> None:
    """Its error is for gunicorn to answer."""
    with pytest.raises(ValueError, match="bad"), Wait({}, pair[0]):
        raise ValueError("bad")
