"""Connections that are kept, and what they do when the other side does not keep to HTTP or time."""

import os
import resource
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import write_certificate
from tests.processes import free_port, wait_until
from tests.raw_server import RawServer, Serve, raw_server, read_request, tunnel_to
from token_server.livekit.connection import AnswerTooLongError, HttpRequest
from token_server.livekit.connections import Connections, CutOffError, Timeouts
from token_server.livekit.routes import Route

PATIENT, IMPATIENT = Timeouts(connect=5, answer=10), Timeouts(connect=0.3, answer=0.5)
REPEATABLE = HttpRequest("/", b"?", {}, is_repeatable=True)
ONCE = HttpRequest("/", b"?", {})
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OVER_TLS = b"\x16\x03\x03\x40\x00"  # the head of a TLS record of 16 KiB


def answering(*answers: bytes) -> Serve:
    """Give the answers in order on each connection, then say no more."""

    def serve(connection: socket.socket) -> None:
        for answer in answers:
            read_request(connection)
            connection.sendall(answer)
        connection.recv(1)

    return serve


def dripping(*, first: bytes = b"", drop: bytes) -> Serve:
    """Send a few bytes now and then, for as long as anybody is there."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(first)
        while True:
            time.sleep(0.02)
            connection.sendall(drop)

    return serve


class Pool:
    """Connections to a server; its time can be moved."""

    def __init__(self, url: str, proxy: str = "", timeouts: Timeouts = PATIENT) -> None:
        self.passed = 0.0
        route = Route(url, proxy)
        self._connections = Connections(route, timeouts, lambda: self.passed)

    def post(self, request: HttpRequest = REPEATABLE) -> tuple[int, bytes]:
        """Ask, and return status and body."""
        answer = self._connections.ask(request)
        return answer.status, answer.body

    def close(self) -> None:
        """Leave nothing open."""
        self._connections.close()


@contextmanager
def pool(
    server: RawServer, url: str = "http://127.0.0.1", timeouts: Timeouts = PATIENT
) -> Iterator[Pool]:
    """Connections to this server, closed afterwards."""
    connections = Pool(f"{url}:{server.port}", timeouts=timeouts)
    try:
        yield connections
    finally:
        connections.close()


def seconds_until_given_up(ask: Callable[[], object]) -> float:
    """Return how long a call took that had to end with a time-out."""
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        ask()
    return time.monotonic() - started


def test_one_connection_serves_many_requests() -> None:
    """Opening another for each call would cost its time."""
    with raw_server(answering(OK, OK, OK)) as server, pool(server) as connections:
        assert [(200, b"ok")] * 3 == [connections.post() for _ in range(3)]
        assert 1 == len(server.connections)


def test_a_process_with_a_thousand_open_files_is_served() -> None:
    """A thousand pages that fetch a token keep as many connections open; select() ends there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    with raw_server(answering(OK, OK)) as server, pool(server) as connections, ExitStack() as files:
        for _ in range(1024):
            files.enter_context(open(os.devnull))  # noqa: PTH123 (a file to hold open)

        assert [(200, b"ok")] * 2 == [connections.post() for _ in range(2)]


def test_an_answer_in_pieces_is_put_together() -> None:
    """A proxy may send chunks, and TCP cuts where it likes."""
    pieces = (
        b"HTTP/1.1 200 OK\r\nTransfer-Enc",
        b"oding: chunked\r\n\r\n2\r\n",
        b"ok\r\n1\r\n!\r\n0",
    )

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        for piece in (*pieces, b"\r\n\r\n"):
            time.sleep(0.01)
            connection.sendall(piece)

    with raw_server(serve) as server, pool(server) as connections:
        assert (200, b"ok!") == connections.post()


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
    ids=["close", "HTTP/1.0"],
)
def test_an_answer_that_ends_its_connection_is_believed(head: bytes) -> None:
    """A connection that the server is about to close must not carry the next request."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head + b"ok")

    with raw_server(serve) as server, pool(server) as connections:
        assert [(200, b"ok")] * 2 == [connections.post(ONCE) for _ in range(2)]
        assert 2 == len(server.connections)


NOT_HTTP = {
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a status of letters": b"HTTP/1.1 abc\r\n\r\n",
    "a chunk without a length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "one more protocol": b"HTTP/1.1 101 OK\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "one answer more": OK + OK,
    "more than the answer": OK + b"ok",
    "less than was announced": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
    "nothing": b"",
}


@pytest.mark.parametrize("said", NOT_HTTP.values(), ids=NOT_HTTP.keys())
def test_what_is_not_http_is_no_answer(said: bytes) -> None:
    """LIVEKIT_URL leads to some other port."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(said)

    with raw_server(serve) as server, pool(server) as connections:
        with pytest.raises(CutOffError):
            connections.post()
        assert 2 == len(server.connections)


def test_early_hints_are_not_the_answer() -> None:
    """The answer comes behind them, and belongs to the same request."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    with raw_server(answering(early + OK, OK)) as server, pool(server) as connections:
        assert [(200, b"ok")] * 2 == [connections.post(ONCE) for _ in range(2)]

        assert 1 == len(server.connections)


@pytest.mark.parametrize("url", ["http://a..b:7880", f"https://{'a' * 64}.example"])
@pytest.mark.parametrize("proxy", ["", "http://a..b:3128"])
def test_a_name_that_cannot_be_one_cannot_be_reached(url: str, proxy: str) -> None:
    """IDNA's error is none of a connection, and would be a 500."""
    with pytest.raises(CutOffError):
        Pool(url, proxy).post()


def test_too_long_a_body_is_not_read_to_its_end() -> None:
    """Whoever answers at LIVEKIT_URL must not fill our memory."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head)
        while True:
            connection.sendall(bytes(2**20))

    with raw_server(serve) as server, pool(server) as connections:
        with pytest.raises(AnswerTooLongError):
            connections.post()

        assert 1 == len(server.connections)


def test_too_long_a_head_is_not_read_to_its_end() -> None:
    """A head without an end is as long as a body."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 30_000 + b"\r\n") * 3)

    with (
        raw_server(serve) as server,
        pool(server) as connections,
        pytest.raises(AnswerTooLongError),
    ):
        connections.post()


DRIPS = {
    "a head": ("http", "", dripping(first=b"HTTP/1.1 200 OK\r\n", drop=b"X: y\r\n")),
    "an early answer": ("http", "", dripping(drop=b"HTTP/1.1 100 Continue\r\n\r\n")),
    "a body": ("http", "", dripping(first=OK.replace(b": 2", b": 99999"), drop=b"x")),
    "TLS": ("https", "", dripping(first=OVER_TLS, drop=b"x")),
    "a proxy's answer": ("https", "p", dripping(first=b"HTTP/1.1 200 OK\r\n", drop=b"X: y\r\n")),
}


@pytest.mark.parametrize(("scheme", "proxy", "drip"), DRIPS.values(), ids=DRIPS.keys())
def test_what_drips_is_given_up_in_bounded_time(scheme: str, proxy: str, drip: Serve) -> None:
    """Each byte comes in time, and the whole never does; afterwards nothing is left of it."""
    threads = threading.active_count()
    with raw_server(drip) as server:
        url = f"{scheme}://127.0.0.1:{server.port}"
        through = f"http://127.0.0.1:{server.port}" if proxy else ""

        assert seconds_until_given_up(Pool(url, through, IMPATIENT).post) < 1
        wait_until(lambda: server.ended == len(server.connections), within=2, what="it is closed")
    wait_until(lambda: threading.active_count() == threads, within=10, what="no thread is left")


def test_a_name_server_that_hangs_is_given_up_in_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Glibc asks each name server for 5 s, twice; what comes of it in the end is closed."""
    over, threads, connect = threading.Event(), threading.active_count(), socket.create_connection

    def resolve_in_vain(*where: Any) -> socket.socket:  # noqa: ANN401 (as it is called)
        over.wait(5)
        return connect(*where)

    with raw_server(answering(OK)) as server:
        monkeypatch.setattr(socket, "create_connection", resolve_in_vain)

        url = f"http://127.0.0.1:{server.port}"
        took = seconds_until_given_up(Pool(url, timeouts=IMPATIENT).post)

        assert ([], True) == (server.connections, took < 1)
        over.set()
        wait_until(lambda: server.ended == 1, within=2, what="what came late is closed")
    wait_until(lambda: threading.active_count() == threads, within=10, what="no thread is left")


def test_a_name_server_that_hangs_gets_so_many_threads_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each call would leave one behind, for as long as it hangs."""
    over, asked = threading.Event(), []

    def resolve_in_vain(*where: object) -> socket.socket:
        asked.append(where)
        over.wait(5)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", resolve_in_vain)
    unreachable = Pool("http://livekit.example", timeouts=Timeouts(connect=0.01, answer=0.01))
    try:
        for _ in range(70):
            seconds_until_given_up(unreachable.post)
        assert 64 == len(asked)
    finally:
        over.set()


def test_a_refused_connection_is_told_at_once() -> None:
    """Nobody has to wait for it."""
    with pytest.raises(ConnectionRefusedError):
        Pool(f"http://127.0.0.1:{free_port()}").post()


@pytest.mark.parametrize(("idle", "opened"), [(29.0, 1), (31.0, 2)])
def test_a_connection_that_was_idle_for_long_is_not_used(idle: float, opened: int) -> None:
    """Routers forget it in silence, and a request over it is never heard."""
    with raw_server(answering(OK, OK)) as server, pool(server) as connections:
        connections.post()
        connections.passed = idle

        connections.post()

        wait_until(lambda: server.ended == opened - 1, within=2, what="the other is closed")
        assert opened == len(server.connections)


def test_a_kept_connection_that_died_in_silence_is_no_trouble() -> None:
    """The call goes out once more over a new one, in time."""
    timeouts = Timeouts(connect=2, answer=2.5)
    deaf = threading.Event()
    is_first = iter([True])

    def serve(connection: socket.socket) -> None:
        first = next(is_first, False)
        while True:
            read_request(connection)
            if not (first and deaf.is_set()):
                connection.sendall(OK)

    with raw_server(serve) as server, pool(server, timeouts=timeouts) as connections:
        connections.post()
        deaf.set()
        started = time.monotonic()

        assert (200, b"ok") == connections.post()
        assert (2, True) == (len(server.connections), time.monotonic() - started < timeouts.answer)


@pytest.mark.parametrize("request_", [REPEATABLE, ONCE], ids=["repeatable", "once"])
def test_a_frozen_server_costs_one_bounded_wait(request_: HttpRequest) -> None:
    """With two tries as with one; and what may arrive once only is sent once."""
    timeouts = Timeouts(connect=1, answer=1)
    frozen, heard = threading.Event(), []

    def serve(connection: socket.socket) -> None:
        while True:
            read_request(connection)
            heard.append(frozen.is_set())
            if not frozen.is_set():
                connection.sendall(OK)

    with raw_server(serve) as server, pool(server, timeouts=timeouts) as connections:
        connections.post()
        frozen.set()

        took = seconds_until_given_up(lambda: connections.post(request_))

    assert (2 if request_.is_repeatable else 1) == sum(heard)
    assert timeouts.answer * 0.9 < took < timeouts.answer + 0.3


def test_an_ipv6_address_is_reached_and_named() -> None:
    """`ws://[::1]:7880`; a server with names of its own looks at Host."""
    heads = []

    def serve(connection: socket.socket) -> None:
        heads.append(read_request(connection)[0])
        connection.sendall(OK)

    with raw_server(serve, "::1") as server, pool(server, "http://[::1]") as connections:
        assert (200, b"ok") == connections.post()
        assert f"Host: [::1]:{server.port}" in heads[0].split("\r\n")


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's TLS, with a certificate for 127.0.0.1 that this process trusts."""
    certificate = write_certificate(tmp_path / "certificate.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def over_tls(tls: ssl.SSLContext, *answers: bytes) -> Serve:
    """Answer over TLS."""

    def serve(connection: socket.socket) -> None:
        with tls.wrap_socket(connection, server_side=True) as secured:
            answering(*answers)(secured)

    return serve


def test_tls_is_spoken_and_kept(tls: ssl.SSLContext) -> None:
    """LiveKit Cloud has nothing else."""
    with (
        raw_server(over_tls(tls, OK, OK)) as server,
        pool(server, "https://127.0.0.1") as connections,
    ):
        assert [(200, b"ok")] * 2 == [connections.post() for _ in range(2)]
        assert 1 == len(server.connections)


def test_a_certificate_for_another_host_is_refused(tls: ssl.SSLContext) -> None:
    """Somebody stands between."""
    with (
        raw_server(over_tls(tls, OK)) as server,
        pool(server, "https://localhost") as connections,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        connections.post()


@pytest.mark.parametrize(
    ("login", "said"),
    [("", []), ("us%65r:p%40ss@", ["Proxy-Authorization: Basic dXNlcjpwQHNz"])],
    ids=["nobody", "user"],
)
def test_tls_goes_through_a_proxy(tls: ssl.SSLContext, login: str, said: list[str]) -> None:
    """The only way out of some networks; the proxy learns the host, and nothing of the call."""
    heads: list[str] = []
    with (
        raw_server(over_tls(tls, OK, OK)) as server,
        raw_server(tunnel_to(server.port, heads)) as proxy,
    ):
        url = f"https://127.0.0.1:{server.port}"
        connections = Pool(url, f"http://{login}127.0.0.1:{proxy.port}")
        answers = [connections.post() for _ in range(2)]
        connections.close()

    first, *headers = heads[0].split("\r\n")
    assert ([(200, b"ok")] * 2, 1) == (answers, len(heads))
    assert f"CONNECT 127.0.0.1:{server.port}" in first
    assert said == [header for header in headers if header.startswith("Proxy-")]


def test_a_proxy_that_refuses_is_told_at_once() -> None:
    """Its login is wrong, or it does not know LiveKit."""
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with raw_server(answering(refusal)) as proxy, pytest.raises(OSError, match="407"):
        Pool("https://livekit.example", f"127.0.0.1:{proxy.port}").post()


def test_without_tls_a_proxy_is_asked_for_the_whole_url() -> None:
    """Proxies seldom let CONNECT through to other ports than 443."""
    heads = []

    def serve(connection: socket.socket) -> None:
        heads.append(read_request(connection)[0].split("\r\n"))
        connection.sendall(OK)

    with raw_server(serve) as proxy:
        connections = Pool("http://livekit.example:7880", f"http://user:@127.0.0.1:{proxy.port}")
        assert (200, b"ok") == connections.post()
        connections.close()

    assert "POST http://livekit.example:7880/ HTTP/1.1" == heads[0][0]
    assert {"Host: livekit.example:7880", "Proxy-Authorization: Basic dXNlcjo="} <= set(heads[0])
