import os
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from token_server.connections import Connections, CutOffError, Timeouts

TIMEOUTS = Timeouts(connect=1, answer=0.3)


@contextmanager
def server(*parts: bytes, pause: float = 0) -> Iterator[str]:
    """Answer each request on one connection with these bytes, part by part."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while connection.recv(65536):
                    for part in parts:
                        if over.wait(pause):
                            return
                        connection.sendall(part)

        over = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        thread.join()


def ask(url: str, times: int = 1) -> list[tuple[int, bytes]]:
    """Send so many requests over one pool, then close it."""
    connections = Connections(url, TIMEOUTS)
    try:
        answers = [connections.post("/", b"?", {}) for _ in range(times)]
    finally:
        connections.close()
    return [(answer.status, answer.body) for answer in answers]


def test_one_connection_serves_many_requests() -> None:
    """The server accepts one only: opening another for each call would cost its time."""
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as url:
        assert [(200, b"ok")] * 3 == ask(url, times=3)


def test_a_process_with_a_thousand_open_files_is_served() -> None:
    """A thousand pages that fetch a token keep as many connections open; select() ends there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as url, ExitStack() as files:
        for _ in range(1024):
            files.enter_context(open(os.devnull))  # noqa: PTH123 (a file to hold open)

        assert [(200, b"ok")] * 2 == ask(url, times=2)


def test_an_answer_in_pieces_is_put_together() -> None:
    """A proxy may send chunks, and TCP cuts where it likes."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Enc"
    with server(head, b"oding: chunked\r\n\r\n2\r\n", b"ok\r\n1\r\n!\r\n0\r\n\r\n") as url:
        assert [(200, b"ok!")] == ask(url)


def test_an_answer_that_drips_is_given_up_in_bounded_time() -> None:
    """Each byte comes in time, and the whole never does."""
    drops = [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 100]
    with server(*drops, pause=0.05) as url, pytest.raises(TimeoutError):
        ask(url)


def test_what_is_not_http_is_no_answer() -> None:
    """LIVEKIT_URL leads to some other port."""
    with server(b"SSH-2.0-OpenSSH_9.2\r\n") as url, pytest.raises(CutOffError):
        ask(url)


def test_an_answer_that_says_close_is_believed() -> None:
    """A connection that the server is about to close must not carry the next request."""
    close = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    with server(close) as url:
        connections = Connections(url, TIMEOUTS)
        first = connections.post("/", b"?", {})

        with pytest.raises((TimeoutError, CutOffError, ConnectionError)):
            connections.post("/", b"?", {})

    assert 200 == first.status
