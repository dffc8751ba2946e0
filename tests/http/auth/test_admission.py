"""RATE_LIMIT, trusted proxies, TOKEN_AUTH=jwt and ROOM_NAMES, as callers meet them."""

import uuid

import hypothesis
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import FakeLiveKit
from tests.http.clients import client_for, error_of
from tests.issuer import Issuer
from tests.join_tokens import claims_of


def ask(client: FlaskClient, address: str = "192.0.2.1", **headers: str) -> int:
    """Ask for a token from this address; return the status."""
    environ = {"REMOTE_ADDR": address}
    return client.post("/token", headers=headers, environ_overrides=environ).status_code


def test_who_asks_too_often_is_told_when_to_come_again(rooms: FakeLiveKit) -> None:
    """429 with Retry-After, and no room is made."""
    client = client_for(rooms, RATE_LIMIT="1/hour")
    assert 201 == ask(client)
    calls = len(rooms.calls)

    answer = client.post("/token", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})

    status, code, msg = error_of(answer)
    assert (429, "resource_exhausted", calls) == (status, code, len(rooms.calls))
    assert msg.startswith("too many requests of one address")
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600


def test_a_page_of_another_origin_may_read_when_to_come_again() -> None:
    """Browsers hide headers of other origins' answers, unless they are exposed."""
    origin = {"Origin": "https://app.example.com"}
    client = client_for(RATE_LIMIT="1/hour", CORS_ORIGINS=origin["Origin"])
    client.post("/token", headers=origin)

    answer = client.post("/token", headers=origin)

    exposed = answer.headers["Access-Control-Expose-Headers"]
    assert (429, "Retry-After") == (answer.status_code, exposed)


def test_another_address_has_a_limit_of_its_own() -> None:
    """One noisy client does not lock the others out."""
    client = client_for(RATE_LIMIT="1/hour")

    assert [201, 429, 201] == [ask(client, f"192.0.2.{last}") for last in (1, 1, 2)]


def test_one_key_has_one_limit_wherever_it_is_used() -> None:
    """A key that got loose costs no more than its limit."""
    client = client_for(RATE_LIMIT_KEY="2/hour", TOKEN_AUTH="key", TOKEN_KEYS="one,two")
    asked = [(f"192.0.2.{last}", "Bearer one") for last in (1, 2, 3)]

    statuses = [ask(client, address, Authorization=key) for address, key in asked]

    assert [201, 201, 429] == statuses
    assert 201 == ask(client, "192.0.2.4", Authorization="Bearer two")


def test_guessing_keys_is_limited_too() -> None:
    """Wrong keys count for the address that they come from, and for nobody else."""
    client = client_for(RATE_LIMIT="2/hour", TOKEN_AUTH="key", TOKEN_KEYS="one")

    statuses = [ask(client, Authorization=f"Bearer guess-{number}") for number in range(3)]

    assert [401, 401, 429] == statuses
    assert 401 == ask(client, "192.0.2.2", Authorization="Bearer guess")


@pytest.mark.parametrize(
    ("trusted", "forwarded", "statuses"),
    [
        pytest.param("0", ["a", "b", "c"], [201, 429, 429], id="no proxy: what is said is nothing"),
        pytest.param("1", ["1.1.1.1:1", "1.1.1.1:2", "1.1.1.1"], [201, 429, 429], id="ports"),
        pytest.param("1", ["[2001:db8::1]:443", "[2001:db8::2]"], [201, 429], id="brackets"),
        pytest.param("1", ["fe80::1%a/b", "fe80::2%c"], [201, 429], id="scopes"),
        pytest.param("1", ["unknown", "_hidden", ""], [201, 429, 201], id="no address, no header"),
        pytest.param("1", ['"a, 1.1.1.1', '"b, 1.1.1.1'], [201, 429], id="an open quotation"),
        pytest.param("2", ["1.1.1.1", "1.1.1.2"], [201, 429], id="too few: who has connected"),
        pytest.param("1", ["1.1.1.1", "1.1.1.2"], [201, 201], id="the proxy's word"),
        pytest.param(
            "1", ["9.9.9.9, 1.1.1.1", "8.8.8.8, 1.1.1.1"], [201, 429], id="an invented beginning"
        ),
        pytest.param("2", ["1.1.1.1, 10.0.0.1", "1.1.1.1, 10.0.0.2"], [201, 429], id="two proxies"),
    ],
)
def test_only_the_proxies_of_ours_are_believed(
    trusted: str, forwarded: list[str], statuses: list[int]
) -> None:
    """Else anybody could have as many addresses as they like."""
    client = client_for(RATE_LIMIT="1/hour", TRUSTED_PROXIES=trusted)

    assert statuses == [ask(client, **{"X-Forwarded-For": value}) for value in forwarded]


def test_without_an_address_all_share_one_limit_and_the_log_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A web process behind a unix socket, say; what a header says is not repeated."""
    client = client_for(RATE_LIMIT="2/hour")
    statuses = [ask(client, "") for _ in range(3)]
    behind = client_for(RATE_LIMIT="2/hour", TRUSTED_PROXIES="1")
    statuses += [ask(behind, **{"X-Forwarded-For": f"MaRkEr{number}"}) for number in range(3)]

    assert [201, 201, 429] * 2 == statuses
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert (2, True) == (len(told), all("TRUSTED_PROXIES" in line for line in told))
    assert "MaRkEr" not in str([vars(record) for record in caplog.records])


@hypothesis.settings(max_examples=25, deadline=None)
@given(st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n")))
def test_whatever_a_header_says_there_is_a_limit(forwarded: str) -> None:
    """Nobody writes themselves past it, and nothing breaks."""
    client = client_for(RATE_LIMIT="1/hour", TRUSTED_PROXIES="1")
    headers = {"HTTP_X_FORWARDED_FOR": forwarded, "REMOTE_ADDR": "10.0.0.1"}

    statuses = [client.post("/token", environ_overrides=headers).status_code for _ in range(2)]

    assert [201, 429] == statuses


def jwt_of(issuer: Issuer) -> dict[str, str]:
    """Return the settings that believe this issuer."""
    return {
        "TOKEN_AUTH": "jwt",
        "TOKEN_JWT_ISSUER": issuer.url,
        "TOKEN_JWT_AUDIENCE": "my-app",
    }


@pytest.fixture
def logged_in(issuer: Issuer) -> FlaskClient:
    """A client of an application that believes this issuer."""
    return client_for(None, None, **jwt_of(issuer))


def test_a_login_token_joins_as_its_subject(logged_in: FlaskClient, issuer: Issuer) -> None:
    """The frontend's own login is all that a page needs."""
    headers = {"Authorization": f"Bearer {issuer.sign()}"}

    answer = logged_in.post("/token", json={"room_name": "kitchen"}, headers=headers)

    assert (201, "alice") == (answer.status_code, answer.get_json()["participant_identity"])


def test_a_login_token_joins_as_nobody_else(logged_in: FlaskClient, issuer: Issuer) -> None:
    """403 names the field."""
    headers = {"Authorization": f"Bearer {issuer.sign()}"}

    answer = logged_in.post("/token", json={"participant_identity": "bob"}, headers=headers)

    status, code, msg = error_of(answer)
    assert (403, "permission_denied", True) == (status, code, "participant_identity" in msg)


def test_a_login_without_a_name_names_nobody(logged_in: FlaskClient, issuer: Issuer) -> None:
    """The others in the room would take "Support Admin" for what the login says."""
    headers = {"Authorization": f"Bearer {issuer.sign(name=None)}"}
    asked = {"participant_name": "Support Admin"}

    refused = logged_in.post("/token", json=asked, headers=headers)

    assert (403, "permission_denied") == error_of(refused)[:2]
    assert 201 == logged_in.post("/token", json={}, headers=headers).status_code


def test_a_login_whose_name_does_not_fit_joins(logged_in: FlaskClient, issuer: Issuer) -> None:
    """With the name as far as it can be shown."""
    headers = {"Authorization": f"Bearer {issuer.sign(name=' Anna' + chr(0x202E))}"}

    answer = logged_in.post("/token", json={}, headers=headers)

    assert (201, "Anna") == (
        answer.status_code,
        claims_of(answer.get_json()["participant_token"]).name,
    )


def test_keys_that_were_revoked_open_nothing(logged_in: FlaskClient, issuer: Issuer) -> None:
    """401, and not "try again"."""
    issuer.documents["/realm/keys"] = {"keys": []}

    answer = logged_in.post("/token", headers={"Authorization": f"Bearer {issuer.sign()}"})

    assert (401, "unauthenticated") == error_of(answer)[:2]


@pytest.mark.parametrize("auth", ["none", "key", "jwt"])
def test_metadata_can_be_refused(issuer: Issuer, auth: str) -> None:
    """PARTICIPANT_METADATA=none, whoever asks."""
    settings = {"TOKEN_AUTH": auth, "TOKEN_KEYS": "k"} | (jwt_of(issuer) if auth == "jwt" else {})
    client = client_for(None, None, PARTICIPANT_METADATA="none", **settings)
    headers = {"Authorization": f"Bearer {issuer.sign() if auth == 'jwt' else 'k'}"}
    bodies: tuple[dict[str, object], ...] = (
        {"participant_metadata": "x"},
        {"participant_attributes": {"role": "admin"}},
        {"participant_metadata": "", "participant_attributes": {}},
    )

    statuses = [client.post("/token", json=body, headers=headers).status_code for body in bodies]

    assert [403, 403, 201] == statuses


def test_an_issuer_of_a_compose_network_is_believed_where_the_operator_says_so(
    issuer: Issuer,
) -> None:
    """Keys over http, from a name of that network, and tokens for nobody."""
    less = {"TOKEN_JWT_TRUST_PLAIN_HTTP": "1", "TOKEN_JWT_TRUST_WITHOUT_AUDIENCE": "1"}
    keys = f"{issuer.url.replace('127.0.0.1', '127.1')}/keys"
    changes = less | {"TOKEN_JWT_AUDIENCE": "", "TOKEN_JWT_JWKS_URL": keys}
    client = client_for(None, None, **jwt_of(issuer) | changes)

    statuses = [
        client.post("/token", headers={"Authorization": f"Bearer {token}"}).status_code
        for token in (issuer.sign(aud=None), issuer.sign())
    ]

    assert [201, 401] == statuses


def test_without_a_login_token_there_is_none(logged_in: FlaskClient) -> None:
    """401, and how to ask."""
    answer = logged_in.post("/token")

    assert (401, "Bearer") == (answer.status_code, answer.headers["WWW-Authenticate"])


def test_an_issuer_that_is_away_is_a_503(logged_in: FlaskClient, issuer: Issuer) -> None:
    """The user is not at fault, and may try again."""
    issuer.is_down = True

    answer = logged_in.post("/token", headers={"Authorization": f"Bearer {issuer.sign()}"})

    assert (503, "unavailable") == error_of(answer)[:2]


@pytest.mark.parametrize(
    "auth", [{"TOKEN_AUTH": "none"}, {"TOKEN_AUTH": "key", "TOKEN_KEYS": "k"}], ids=["none", "key"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_where_identities_are_fresh_nobody_can_take_anybodys(
    rooms: FakeLiveKit, auth: dict[str, str], method: str
) -> None:
    """LiveKit puts out who joined first under an identity: it must be nobody else's to name."""
    client = client_for(rooms, None, PARTICIPANT_IDENTITIES="fresh", **auth)
    wanted = {"participant_identity": "alice", "room_name": "kitchen"}
    query, body = (wanted, None) if method == "GET" else (None, wanted)

    refused = client.open(
        "/token",
        method=method,
        query_string=query,
        json=body,
        headers={"Authorization": "Bearer k"},
    )

    status, code, msg = error_of(refused)
    assert (403, "permission_denied", []) == (status, code, rooms.calls)
    assert msg.startswith("participant_identity must be left out")


def test_fresh_identities_differ_and_cannot_be_guessed() -> None:
    """122 random bits each."""
    client = client_for(PARTICIPANT_IDENTITIES="fresh")
    body = {"room_name": "kitchen", "participant_identity": ""}

    found = {client.post("/token", json=body).get_json()["participant_identity"] for _ in range(9)}

    assert (9, {4}) == (
        len(found),
        {uuid.UUID(one.removeprefix("human-")).version for one in found},
    )


def test_a_login_decides_where_identities_are_fresh(issuer: Issuer) -> None:
    """It is theirs alone anyway."""
    client = client_for(None, None, PARTICIPANT_IDENTITIES="fresh", **jwt_of(issuer))
    headers = {"Authorization": f"Bearer {issuer.sign()}"}

    answer = client.post("/token", json={"participant_identity": "alice"}, headers=headers)

    assert (201, "alice") == (answer.status_code, answer.get_json()["participant_identity"])


@pytest.mark.parametrize(
    ("room_name", "status"), [("call-1", 201), ("lobby", 201), ("", 201), ("board-room", 403)]
)
def test_only_rooms_that_callers_may_have_are_made(room_name: str, status: int) -> None:
    """A fresh one is always theirs."""
    client = client_for(ROOM_NAMES="call-*,lobby")

    assert status == client.post("/token", json={"room_name": room_name}).status_code
