"""Where an HTTP proxy is the only way out, to LiveKit and to the issuer of login tokens."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from livekit.protocol import models

from tests.certificates import write_certificate
from tests.environ import settings
from tests.http.clients import error_of
from tests.issuer import Issuer
from tests.processes import free_port
from tests.raw_server import raw_server, tunnels
from tests.recording_keeper import RecordingKeeper
from tests.twirp_server import TwirpServer, answer
from token_server.http_api.app import create_app
from token_server.livekit.twirp import Twirp
from token_server.livekit.twirp_livekit import TwirpLiveKit

ROOM = answer(models.Room(name="kitchen", sid="RM_1"))
TLS = {"LIVEKIT_URL": "wss://livekit.example/inner", "LIVEKIT_PUBLIC_URL": "wss://a.example/outer"}
PLAIN = {"LIVEKIT_URL": "ws://livekit.example:7880/inner"}
CREATE = "/inner/twirp/livekit.RoomService/CreateRoom"


def client_of(**variables: str) -> FlaskClient:
    """Return a client of an application that calls LiveKit as these settings say."""
    found = settings(**variables)
    app = create_app(found, TwirpLiveKit(Twirp.of(found)), RecordingKeeper())
    return app.test_client()


def logins_of(issuer_url: str) -> dict[str, str]:
    """Return the settings of a server that wants login tokens."""
    return {
        "TOKEN_AUTH": "jwt",
        "TOKEN_JWT_ISSUER": issuer_url,
        "TOKEN_JWT_AUDIENCE": "my-app",
    }


@dataclass
class Outside:
    """What the proxy leads to, and how it was asked."""

    livekit: TwirpServer
    issuer: Issuer
    proxy: str = ""
    heads: list[str] = field(default_factory=list)


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    """A LiveKit and an issuer under names that only the proxy knows."""
    certificate = write_certificate(tmp_path / "pem", "livekit.example", "issuer.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with ExitStack() as ends:
        livekit = ends.enter_context(TwirpServer(ROOM, certificate=certificate))
        issuer = ends.enter_context(Issuer(tls=tls))
        found = Outside(livekit, issuer)
        names = {"livekit.example:443": livekit.port, "issuer.example:443": issuer.port}
        proxy = ends.enter_context(raw_server(tunnels(names, found.heads)))
        found.proxy = f"http://us%65r:p%40ss@127.0.0.1:{proxy.port}"
        yield found


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_a_login_and_a_room_go_through_the_proxy(outside: Outside, name: str) -> None:
    """Discovery, keys and CreateRoom; the frontend is sent to where it has a way of its own."""
    client = client_of(**TLS, **logins_of(outside.issuer.url), **{name: outside.proxy})
    headers = {"Authorization": f"Bearer {outside.issuer.sign()}"}

    issued = client.post("/token", json={}, headers=headers)

    assert (201, "wss://a.example/outer") == (issued.status_code, issued.json["server_url"])  # type: ignore[index]
    assert [CREATE] == [asked.path for asked in outside.livekit.asked]
    assert {"livekit.example:443", "issuer.example:443"} == {h.split()[1] for h in outside.heads}
    assert all("Proxy-Authorization: Basic dXNlcjpwQHNz" in head for head in outside.heads)


def test_livekit_without_tls_has_the_other_proxy() -> None:
    """It is asked for the whole URL, with the path that LiveKit has."""
    with TwirpServer(ROOM) as proxy:
        client = client_of(
            **PLAIN,
            HTTPS_PROXY=f"http://127.0.0.1:{free_port()}",
            http_proxy=f"http://127.0.0.1:{proxy.port}",
        )

        assert 201 == client.post("/token", json={}).status_code

    assert [f"http://livekit.example:7880{CREATE}"] == [asked.path for asked in proxy.asked]


@pytest.mark.parametrize(
    ("variables", "setting"), [(TLS, "HTTPS_PROXY"), (PLAIN, "HTTP_PROXY")], ids=["wss", "ws"]
)
def test_a_proxy_that_is_down_is_named_by_its_setting(
    variables: dict[str, str], setting: str
) -> None:
    """An operator looks at LiveKit first, which is well."""
    down = f"http://user:MaRkEr@127.0.0.1:{free_port()}"

    found = error_of(client_of(**variables, **{setting: down}).get("/readyz"))

    through = f"LiveKit did not answer RoomService/ListRooms through the proxy of {setting}"
    assert (503, "unavailable", f"{through}: ConnectionRefusedError") == found


def test_a_proxy_that_refuses_is_named_with_its_status(outside: Outside) -> None:
    """Its rules do not know LiveKit, or it knows us not."""
    variables = {"LIVEKIT_URL": "wss://other.example", "HTTPS_PROXY": outside.proxy}

    _, _, msg = error_of(client_of(**variables).get("/readyz"))

    assert msg.endswith("through the proxy of HTTPS_PROXY: the proxy answers HTTP 403")


def test_the_log_names_the_proxy_that_keeps_logins_out(
    outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    """A caller is told that the issuer is away, and the operator why."""
    down = f"http://user:MaRkEr@127.0.0.1:{free_port()}"
    client = client_of(**TLS, **logins_of(outside.issuer.url), HTTPS_PROXY=down)
    headers = {"Authorization": f"Bearer {outside.issuer.sign()}"}

    status, _, msg = error_of(client.post("/token", json={}, headers=headers))

    assert (503, "the issuer of login tokens does not show its keys") == (status, msg)
    assert "does not answer through the proxy of HTTPS_PROXY" in caplog.text
    assert "MaRkEr" not in caplog.text


def test_an_issuer_in_no_proxy_is_asked_straight(outside: Outside) -> None:
    """Then its name has to be known here, and is not."""
    client = client_of(
        **TLS,
        **logins_of(outside.issuer.url),
        HTTPS_PROXY=outside.proxy,
        NO_PROXY="issuer.example:443",
    )
    headers = {"Authorization": f"Bearer {outside.issuer.sign()}"}

    assert 503 == client.post("/token", json={}, headers=headers).status_code
    assert [] == outside.heads
