"""TOKEN_AUTH=key, and which origins a browser may call from."""

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeLiveKit
from tests.http.clients import client_for, error_of

ORIGIN = "https://app.example.com"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type",
}


@pytest.fixture
def keyed(rooms: FakeLiveKit) -> FlaskClient:
    """A client of an application with two keys, for the frontend at ORIGIN."""
    return client_for(rooms, TOKEN_AUTH="key", TOKEN_KEYS="one,two", CORS_ORIGINS=ORIGIN)


@pytest.mark.parametrize("header", ["Bearer one", "Bearer two", "bearer two", "BEARER  one "])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_key_lets_a_caller_in(keyed: FlaskClient, method: str, header: str) -> None:
    """Two keys, so that one can be replaced without an outage; the scheme has no case."""
    answer = keyed.open("/token", method=method, headers={"Authorization": header})

    assert answer.status_code in {200, 201}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no header"),
        pytest.param({"Authorization": ""}, id="empty header"),
        pytest.param({"Authorization": "Bearer"}, id="no key"),
        pytest.param({"Authorization": "Bearer "}, id="empty key"),
        pytest.param({"Authorization": "Bearer MaRkEr"}, id="wrong key"),
        pytest.param({"Authorization": "Bearer on"}, id="half a key"),
        pytest.param({"Authorization": "Bearer one two"}, id="both keys"),
        pytest.param({"Authorization": "Bearer one,two"}, id="the whole list"),
        pytest.param({"Authorization": "Bearer é"}, id="no ASCII"),
        pytest.param({"Authorization": "one"}, id="no scheme"),
        pytest.param({"Authorization": "Basic one"}, id="wrong scheme"),
        pytest.param({"Authorization": "Basic OnR3bw=="}, id="basic"),
        pytest.param({"X-Api-Key": "one"}, id="another header"),
        pytest.param({"Cookie": "Authorization=Bearer one"}, id="a cookie"),
    ],
)
def test_anybody_else_is_kept_out(
    keyed: FlaskClient, rooms: FakeLiveKit, headers: dict[str, str]
) -> None:
    """401 says how to ask (RFC 9110), and nothing is done for the caller."""
    answer = keyed.post("/token", headers=headers)

    status, code, msg = error_of(answer)
    assert (401, "unauthenticated", "Bearer", "no-store", []) == (
        status,
        code,
        answer.headers["WWW-Authenticate"],
        answer.headers["Cache-Control"],
        rooms.calls,
    )
    assert (True, False) == (msg.startswith("Authorization"), "MaRkEr" in msg)


@pytest.mark.parametrize("name", ["key", "token", "access_token", "authorization", "Authorization"])
def test_a_key_in_the_query_does_not_count(keyed: FlaskClient, name: str) -> None:
    """Queries end up in the logs of proxies and in histories."""
    assert 401 == keyed.get(f"/token?{name}=one").status_code


def test_a_caller_without_key_does_not_learn_the_rules(keyed: FlaskClient) -> None:
    """The key is checked before anything is read."""
    assert 401 == keyed.post("/token", data=b"x" * 100_000).status_code


def test_a_preflight_needs_no_key(keyed: FlaskClient) -> None:
    """Browsers send none with it."""
    answer = keyed.options("/token", headers=PREFLIGHT)

    assert (200, ORIGIN, "authorization, content-type", True) == (
        answer.status_code,
        answer.headers["Access-Control-Allow-Origin"],
        answer.headers["Access-Control-Allow-Headers"].lower(),
        "POST" in answer.headers["Access-Control-Allow-Methods"],
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Authorization": "Bearer one"}, 201, id="a token"),
        pytest.param({}, 401, id="a refusal"),
    ],
)
def test_a_page_of_the_allowed_origin_may_read_the_answer(
    keyed: FlaskClient, headers: dict[str, str], status: int
) -> None:
    """Also the error: else a frontend's developer sees no more than "network error"."""
    answer = keyed.post("/token", headers={"Origin": ORIGIN} | headers)

    assert (status, ORIGIN) == (answer.status_code, answer.headers["Access-Control-Allow-Origin"])


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com.evil.example",
        "https://appXexample.com",
        "https://app.example.com:8443",
        "null",
    ],
)
def test_a_page_of_another_origin_may_not(keyed: FlaskClient, origin: str) -> None:
    """Keys are in browsers' hands there."""
    answers = [
        keyed.options("/token", headers=PREFLIGHT | {"Origin": origin}),
        keyed.post("/token", headers={"Origin": origin, "Authorization": "Bearer one"}),
    ]

    assert [None, None] == [a.headers.get("Access-Control-Allow-Origin") for a in answers]


def test_without_origins_no_other_page_may_read_answers(client: FlaskClient) -> None:
    """The default; the page at / is of the same origin."""
    answer = client.post("/token", headers={"Origin": ORIGIN})

    assert (201, None) == (answer.status_code, answer.headers.get("Access-Control-Allow-Origin"))


@pytest.mark.parametrize("path", ["/webhook", "/healthz", "/readyz"])
def test_only_tokens_are_for_other_origins(keyed: FlaskClient, path: str) -> None:
    """No page has business with the others."""
    answer = keyed.get(path, headers={"Origin": ORIGIN})

    assert None is answer.headers.get("Access-Control-Allow-Origin")
