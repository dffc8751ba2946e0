"""How commands ask: straight, or through a proxy, and what they say of one that is in the way."""

import socket
from http.server import BaseHTTPRequestHandler

import pytest

from tests.loopback import Loopback
from tests.processes import free_port
from tests.raw_server import Serve, raw_server, read_request
from token_server.cli.asking import Way, ask
from token_server.cli.doctor import livekit, server
from token_server.cli.doctor.server import Server
from token_server.cli.running_server import NotAnsweredError, fetch_rooms

REFUSAL = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"


def refusing(heads: list[str]) -> Serve:
    """Return a proxy that wants to know who asks, and notes what it was asked."""

    def serve(connection: socket.socket) -> None:
        heads.append(read_request(connection)[0])
        connection.sendall(REFUSAL)

    return serve


def hearing_out(connection: socket.socket) -> None:
    """Take what comes, and say nothing."""
    while connection.recv(4096):
        pass


class Noting(BaseHTTPRequestHandler):
    """A proxy that answers everything itself."""

    heads: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        """Note what is asked, and who says so."""
        self.heads.append((self.path, self.headers["Proxy-Authorization"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def test_what_is_without_tls_is_asked_of_the_proxy() -> None:
    """With the user and the password of its URL."""
    Noting.heads = []
    with Loopback(Noting) as proxy:
        way = Way(proxy=f"http://us%65r:p%40ss@127.0.0.1:{proxy.port}")
        answer = ask("GET", "http://tokens.example/healthz", way=way)

    assert answer.is_ok
    assert [("http://tokens.example/healthz", "Basic dXNlcjpwQHNz")] == Noting.heads


def test_what_has_tls_goes_through_a_tunnel() -> None:
    """A proxy that refuses it is named by its setting; its password is nowhere."""
    heads: list[str] = []
    with raw_server(refusing(heads)) as proxy:
        way = Way(proxy=f"http://user:MaRkEr@127.0.0.1:{proxy.port}")
        answer = ask("GET", "https://tokens.example/healthz", way=way)

    assert ("HTTPS_PROXY", "the proxy of HTTPS_PROXY answers HTTP 407") == (
        answer.bad_proxy,
        answer.silence,
    )
    assert heads[0].startswith("CONNECT tokens.example:443 ")
    assert "MaRkEr" not in f"{answer!r}{way!r}"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_down_is_named_by_its_setting(scheme: str) -> None:
    """The server itself may be well."""
    url = f"{scheme}://tokens.example"
    answer = ask("GET", url, way=Way(proxy=f"http://user:MaRkEr@127.0.0.1:{free_port()}"))
    name = f"{scheme.upper()}_PROXY"

    causes = [
        livekit.check_url(url, answer),
        server.check_server(Server(url=url), answer),
    ]
    assert [("proxy", True)] * 2 == [(one.cause, name in one.cure) for one in causes]
    assert f"the proxy of {name}: connection refused: nothing listens on that port" == (
        answer.silence
    )


def test_a_proxy_that_wants_a_login_is_named_without_tls_too() -> None:
    """It answers in the server's place."""
    with raw_server(refusing([])) as proxy:
        answer = ask("GET", "http://a.example", way=Way(proxy=f"http://127.0.0.1:{proxy.port}"))

    assert ("HTTP_PROXY", 407) == (answer.bad_proxy, answer.status)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_silent_proxy_is_named_beside_the_silence(scheme: str) -> None:
    """It takes the connection as the server would: either of the two may be what is silent."""
    with raw_server(hearing_out) as proxy:
        way = Way(proxy=f"http://127.0.0.1:{proxy.port}", connect=0.2, answer=0.2)
        answer = ask("GET", f"{scheme}://tokens.example", way=way)

    assert answer.silence.endswith(f" through the proxy of {scheme.upper()}_PROXY")


@pytest.mark.parametrize(
    "proxy", ["socks5://user:MaRkEr@h.example", "http://user:MaRkEr@[::1", "http://h.example:port"]
)
def test_a_proxy_that_cannot_be_is_named_by_its_setting(proxy: str) -> None:
    """Commands take it out of the environment; one with a bracket too few was a traceback."""
    answer = ask("GET", "https://tokens.example", way=Way(proxy=proxy))

    assert "HTTPS_PROXY" == answer.bad_proxy
    assert "the proxy of HTTPS_PROXY: that is no URL like http://HOST:PORT" == answer.silence


@pytest.mark.parametrize("url", ["http://h.example:port", "http://[::1"])
def test_a_malformed_address_is_no_traceback(url: str) -> None:
    """TOKEN_SERVER_URL and --url are a person's; commands look at nothing else of the settings."""
    with pytest.raises(NotAnsweredError, match="does not answer"):
        fetch_rooms({"TOKEN_SERVER_URL": url})
    assert "that is no URL like http://HOST:PORT" == ask("GET", url).silence


def test_commands_ask_through_the_proxy_of_the_environment() -> None:
    """`token-server rooms` in a closed network."""
    environ = {
        "TOKEN_SERVER_URL": "https://tokens.example",
        "https_proxy": f"http://user:MaRkEr@127.0.0.1:{free_port()}",
    }

    with pytest.raises(NotAnsweredError, match="the proxy of HTTPS_PROXY: connection") as caught:
        fetch_rooms(environ)
    assert "MaRkEr" not in str(caught.value)


@pytest.mark.parametrize("setting", ["HTTPS_PROXY", "HTTP_PROXY"])
def test_a_server_that_blames_its_proxy_is_believed(setting: str) -> None:
    """The doctor's own way to LiveKit may be another."""
    said = f"LiveKit did not answer ListRooms through the proxy of {setting}: TimeoutError"
    handler = type("Handler", (Unready,), {"body": f'{{"msg": "{said}"}}'.encode()})
    with Loopback(handler) as web:
        ready = server.check_ready(ask("GET", f"http://127.0.0.1:{web.port}/readyz"))

    assert ("proxy", f"it says: {said}") == (ready.cause, ready.evidence[1])
    assert f"Set {setting} for the token server" in ready.cure


class Unready(BaseHTTPRequestHandler):
    """A server that is not ready, and says why."""

    body: bytes

    def do_GET(self) -> None:
        """Say so."""
        self.send_response(503)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None: ...
