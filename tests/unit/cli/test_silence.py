"""Servers that give no answer: what is said of each, and what is to be done."""

import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.certificates import write_certificate
from tests.processes import free_port
from tests.raw_server import Serve, raw_server
from token_server.cli.asking import Way, ask
from token_server.cli.doctor import livekit, server
from token_server.cli.doctor.server import Server
from token_server.cli.running_server import NotAnsweredError, fetch_rooms

SOON = Way(connect=0.2, answer=0.2)


def speaking_tls(certificate: Path) -> Serve:
    """Return a server with a certificate that nobody has signed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(4096)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    return serve


def without_tls(connection: socket.socket) -> None:
    """Answer as HTTP does."""
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def frozen(connection: socket.socket) -> None:
    """Read until it is over."""
    while connection.recv(4096):
        pass


@contextmanager
def full() -> Iterator[int]:
    """Give a port that takes no more connections, as behind a firewall; Linux drops them."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address):
            yield address[1]


def told(url: str, way: Way = SOON) -> tuple[str, str, str]:
    """Return what is said of silence there, and the doctor's cures for both servers."""
    answer = ask("GET", url, way=way)
    checks = [
        livekit.check_url(url.replace("http", "ws"), answer),
        server.check_server(Server(url=url), answer),
    ]
    assert ["livekit-unreachable", "server-unreachable"] == [check.cause for check in checks]
    return answer.silence, checks[0].cure, checks[1].cure


def test_a_closed_port_is_told_from_a_name_that_is_unknown() -> None:
    """The one is started, the other corrected."""
    refused = told(f"http://127.0.0.1:{free_port()}")
    unknown = told("http://no-such-host.invalid")

    assert "connection refused: nothing listens on that port" == refused[0]
    assert ["Start LiveKit ", "Start it "] == [refused[1][:14], refused[2][:9]]
    assert "the name of the host is not known (DNS)" == unknown[0]
    assert "Correct the host in LIVEKIT_URL" in unknown[1]
    assert "Correct the host in TOKEN_SERVER_URL, PORT or --url" in unknown[2]


def test_a_firewall_is_no_closed_port() -> None:
    """Nothing that is started mends it."""
    with full() as port:
        said, livekit_cure, server_cure = told(f"http://127.0.0.1:{port}")

    assert "no connection within 0.2 s: no such host, or a firewall" == said
    assert [True, True] == ["firewall" in cure for cure in (livekit_cure, server_cure)]


def test_who_takes_a_connection_and_says_nothing_is_not_cured_by_a_start() -> None:
    """It runs: frozen, or another program."""
    with raw_server(frozen) as running:
        said, livekit_cure, server_cure = told(f"http://127.0.0.1:{running.port}")

    assert "connected, but no answer within 0.2 s" == said
    for cure in (livekit_cure, server_cure):
        assert cure.startswith(f"Restart what listens at 127.0.0.1:{running.port}")


def test_tls_that_is_asked_without_is_no_server_that_does_not_run(tmp_path: Path) -> None:
    """ws:// and http:// where it is wss:// and https://."""
    with raw_server(speaking_tls(write_certificate(tmp_path / "pem"))) as running:
        said, livekit_cure, server_cure = told(f"http://127.0.0.1:{running.port}")

    assert "the connection was closed without an HTTP answer" == said
    assert [True, True] == ["wss:// or https://" in cure for cure in (livekit_cure, server_cure)]


def test_a_certificate_that_nobody_signed_is_not_cured_by_a_start(tmp_path: Path) -> None:
    """It runs."""
    with raw_server(speaking_tls(write_certificate(tmp_path / "pem"))) as running:
        said, livekit_cure, server_cure = told(f"https://127.0.0.1:{running.port}")

    assert "its certificate is not good: self-signed certificate" == said
    for cure in (livekit_cure, server_cure):
        assert "Start" not in cure
        assert "SSL_CERT_FILE" in cure


def test_what_the_cure_for_a_certificate_says_cures_it(tmp_path: Path) -> None:
    """OpenSSL reads the variable when a process opens its first connection."""
    certificate = write_certificate(tmp_path / "pem")
    with raw_server(speaking_tls(certificate)) as running:
        url = f"https://127.0.0.1:{running.port}"
        code = f"from token_server.cli.asking import ask; print(ask('GET', {url!r}).in_words)"
        printed = subprocess.check_output(
            [sys.executable, "-c", code], env={"SSL_CERT_FILE": str(certificate)}, text=True
        )

    assert "HTTP 200" in printed


def test_a_server_without_tls_is_asked_without() -> None:
    """What every example says is https:// and wss://."""
    with raw_server(without_tls) as running:
        said, livekit_cure, server_cure = told(f"https://127.0.0.1:{running.port}")

    assert "it does not speak TLS" in said
    assert [True, True] == ["without TLS" in cure for cure in (livekit_cure, server_cure)]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://no-such-host.invalid", "not known.*Correct the host in TOKEN_SERVER_URL or PORT"),
        ("http://127.0.0.1:{port}", "connection refused.*Start it with `make dev`"),
    ],
)
def test_commands_say_why_as_the_doctor_does(url: str, says: str) -> None:
    """`token-server rooms` with a name that nobody knows is not mended by `make dev`."""
    with pytest.raises(NotAnsweredError, match=says):
        fetch_rooms({"TOKEN_SERVER_URL": url.format(port=free_port())})
