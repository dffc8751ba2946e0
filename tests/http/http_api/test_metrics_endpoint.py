"""GET /metrics: who sees it, and what it says after a token and some webhooks."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from livekit.protocol import models

from tests.environ import settings
from tests.exposition import series
from tests.http.clients import error_of
from tests.twirp_server import TwirpServer, answer, error
from tests.webhook_signing import joined, sign
from token_server.composition import compose

KEY = {"Authorization": "Bearer one"}
ROOM = answer(models.Room(name="kitchen", sid="RM_1"))


@pytest.fixture
def livekit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwirpServer]:
    """A LiveKit that makes rooms, on a machine without other token servers."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with TwirpServer(ROOM) as server:
        yield server


def client_for(livekit: TwirpServer, **changes: str) -> FlaskClient:
    """Return a client of a whole server, its keeper not started."""
    return compose(settings(LIVEKIT_URL=livekit.url, **changes)).app.test_client()


@pytest.fixture
def keyed(livekit: TwirpServer) -> FlaskClient:
    """A client of a server with two operator keys."""
    return client_for(livekit, OPERATOR_KEY="one, two")


def counted(client: FlaskClient) -> dict[str, float]:
    """Return the series that are not zero."""
    shown = series(client.get("/metrics", headers=KEY).text)
    return {name: value for name, value in shown.items() if value}


@pytest.mark.parametrize("key", ["one", "two"])
def test_the_operator_sees_them_as_prometheus_reads_them(keyed: FlaskClient, key: str) -> None:
    """Prometheus 3 refuses a content type that it does not know."""
    shown = keyed.get("/metrics", headers={"Authorization": f"Bearer {key}"})

    assert (200, "text/plain; version=0.0.4; charset=utf-8", "no-store", True) == (
        shown.status_code,
        shown.headers["Content-Type"],
        shown.headers["Cache-Control"],
        "token_server_tokens_issued_total 0.0\n" in shown.text,
    )


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no header"),
        pytest.param({"Authorization": "Bearer"}, id="no key"),
        pytest.param({"Authorization": "Bearer MaRkEr"}, id="wrong key"),
        pytest.param({"Authorization": "Bearer one, two"}, id="the whole list"),
        pytest.param({"Authorization": "Basic one"}, id="wrong scheme"),
        pytest.param({"Authorization": "Bearer \xff"}, id="no ASCII"),
    ],
)
def test_anybody_else_is_kept_out(keyed: FlaskClient, headers: dict[str, str]) -> None:
    """How many calls a business has is its own business."""
    refused = keyed.get("/metrics", headers=headers)

    status, code, msg = error_of(refused)
    assert (401, "unauthenticated", "Bearer") == (status, code, refused.headers["WWW-Authenticate"])
    assert (True, False) == ("OPERATOR_KEY" in msg, "MaRkEr" in msg)


def test_a_callers_key_is_no_operators(livekit: TwirpServer) -> None:
    """Every frontend has one of those."""
    client = client_for(livekit, TOKEN_AUTH="key", TOKEN_KEYS="caller", OPERATOR_KEY="one")

    assert 401 == client.get("/metrics", headers={"Authorization": "Bearer caller"}).status_code


def test_without_a_key_nobody_sees_them(livekit: TwirpServer) -> None:
    """Heroku's router, like every proxy on this machine, asks from an address that is near."""
    refused = client_for(livekit).get("/metrics", headers=KEY)

    assert (403, "permission_denied", True) == (
        *error_of(refused)[:2],
        "OPERATOR_KEY" in error_of(refused)[2],
    )


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        pytest.param("127.0.0.1", {}, 200, id="this machine"),
        pytest.param("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 403, id="a proxy"),
        pytest.param("203.0.113.9", {}, 403, id="another machine"),
    ],
)
def test_make_dev_shows_them_to_its_own_machine(
    livekit: TwirpServer, address: str, headers: dict[str, str], status: int
) -> None:
    """`make dev` sets DEMO=1 and no key."""
    client = client_for(livekit, DEMO="1")

    shown = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})

    assert status == shown.status_code


@pytest.mark.parametrize("proxies", ["1", "2"])
def test_nobody_writes_themselves_onto_this_machine(livekit: TwirpServer, proxies: str) -> None:
    """With TRUSTED_PROXIES the address comes from a header that a caller can send."""
    client = client_for(livekit, DEMO="1", TRUSTED_PROXIES=proxies)
    headers = {"X-Forwarded-For": "127.0.0.1, 127.0.0.1"}

    shown = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": "203.0.113.9"})

    assert 403 == shown.status_code


def test_a_page_of_another_origin_may_not_read_them(livekit: TwirpServer) -> None:
    """CORS_ORIGINS is for tokens."""
    client = client_for(livekit, DEMO="1", CORS_ORIGINS="https://app.example.com")

    shown = client.get("/metrics", headers={"Origin": "https://app.example.com"})

    assert (200, None) == (shown.status_code, shown.headers.get("Access-Control-Allow-Origin"))


def test_a_token_shows_with_its_call(keyed: FlaskClient) -> None:
    """One token, one call to LiveKit."""
    keyed.post("/token")

    found = counted(keyed)
    assert (1, 1, 1) == (
        found["tokens_issued_total"],
        found['livekit_calls_total{method="CreateRoom",outcome="ok"}'],
        found['livekit_call_seconds_count{method="CreateRoom"}'],
    )


def test_a_token_that_was_not_issued_is_not_counted(
    keyed: FlaskClient, livekit: TwirpServer
) -> None:
    """The call that failed is."""
    livekit.answers = [error("unavailable", 503)]

    keyed.post("/token")

    found = counted(keyed)
    name = 'livekit_calls_total{method="CreateRoom",outcome="unavailable"}'
    assert (1, None) == (found[name], found.get("tokens_issued_total"))


def test_a_token_that_is_refused_shows_with_its_status(keyed: FlaskClient) -> None:
    """429 is somebody who asks too often, 401 a frontend with an old key."""
    keyed.post("/token", data=b"[", content_type="application/json")
    keyed.post("/token", data=b"x")
    keyed.post("/nothing")

    found = {name: value for name, value in counted(keyed).items() if "refused" in name}
    assert {f'tokens_refused_total{{status="{status}"}}': 1 for status in (400, 415)} == found


@pytest.mark.parametrize("name", ["tokens", "webhooks"])
def test_what_is_not_refused_yet_is_there_as_zero(keyed: FlaskClient, name: str) -> None:
    """Prometheus sees a rise only of what was there before."""
    shown = series(keyed.get("/metrics", headers=KEY).text)

    assert 0 == shown[f'{name}_refused_total{{status="401"}}']


def post_webhook(client: FlaskClient, body: bytes, authorization: str) -> None:
    """Deliver a webhook."""
    client.post("/webhook", data=body, headers={"Authorization": authorization})


def test_webhooks_show_as_received_or_refused(keyed: FlaskClient) -> None:
    """A refused one is another project's key in LiveKit's settings, or somebody who tries."""
    post_webhook(keyed, joined(), sign(joined()))
    post_webhook(keyed, joined(), "made up")
    post_webhook(keyed, b"[]", sign(b"[]"))
    keyed.get("/webhook")

    found = counted(keyed)
    assert (1, 1, 1, 1, 1) == (
        found["webhooks_received_total"],
        found["webhook_age_seconds_count"],
        found['webhooks_refused_total{status="401"}'],
        found['webhooks_refused_total{status="400"}'],
        found['webhooks_refused_total{status="405"}'],
    )


@pytest.mark.parametrize(
    "created_at",
    [None, "", "soon", "-1", "NaN", "inf", 10**400, "9" * 400, [], {}],
    ids=lambda value: f"{type(value).__name__} {str(value)[:4]}",
)
def test_a_webhook_without_a_time_has_no_age(keyed: FlaskClient, created_at: object) -> None:
    """One NaN would make the sum of all ages NaN for good."""
    body = joined(event="room_started", createdAt=created_at)

    post_webhook(keyed, body, sign(body))

    found = counted(keyed)
    assert (1, None) == (found["webhooks_received_total"], found.get("webhook_age_seconds_count"))


def test_a_webhook_that_cannot_be_read_is_refused_and_not_received(keyed: FlaskClient) -> None:
    """It passes by two places that could count it."""
    body = joined(createdAt="soon")

    post_webhook(keyed, body, sign(body))

    names = {name for name in counted(keyed) if name.startswith("webhook")}
    assert {'webhooks_refused_total{status="400"}'} == names


def test_other_requests_that_fail_are_no_webhooks(keyed: FlaskClient) -> None:
    """Their callers read the error themselves."""
    keyed.get("/nothing")
    keyed.post("/token", data=b"[", content_type="application/json")

    assert [] == [name for name in counted(keyed) if name.startswith("webhooks")]
