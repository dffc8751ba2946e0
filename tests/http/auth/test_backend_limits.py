"""Whose limit is whose, where a backend asks with one key for all of its users."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.http.clients import client_for, error_of
from tests.processes import ROOT

KEY = {"TOKEN_AUTH": "key", "TOKEN_KEYS": "one,two"}


def ask(client: FlaskClient, key: str = "one", user: str = "", **headers: str) -> int:
    """Ask with this key for this participant; return the status."""
    body = {"participant_identity": user} if user else {}
    sent = {"Authorization": f"Bearer {key}"} | headers
    return client.post("/token", json=body, headers=sent).status_code


@pytest.fixture
def heroku() -> FlaskClient:
    """A client of what the button of Heroku sets up, as its router asks."""
    fields = json.loads((ROOT / "app.json").read_text())["env"]
    given = {name: field["value"] for name, field in fields.items() if "value" in field}
    known = {name: value for name, value in given.items() if not name.startswith("LIVEKIT_")}
    client = client_for(None, None, **{"TOKEN_KEYS": "one"} | known)
    client.environ_base["HTTP_X_FORWARDED_FOR"] = "198.51.100.7"
    return client


def test_with_what_heroku_sets_up_a_backend_asks_for_all_of_its_users(heroku: FlaskClient) -> None:
    """61 joins in a minute are a small product; 30 of them were refused."""
    statuses = [ask(heroku, user=f"user-{number}") for number in range(61)]

    assert [201] * 61 == statuses


def test_with_what_heroku_sets_up_one_user_is_held_up_alone(heroku: FlaskClient) -> None:
    """Who reloads in a loop, or has something do it, costs the others nothing."""
    statuses = [ask(heroku, user="alice") for _ in range(31)]

    assert [*[201] * 30, 429] == statuses
    assert 201 == ask(heroku, user="bob")


def test_an_end_user_who_is_refused_is_told_which_limit_it_is() -> None:
    """The backend's author reads it in a log."""
    client = client_for(None, None, RATE_LIMIT="1/hour", **KEY)
    ask(client, user="alice")

    answer = client.post(
        "/token",
        json={"participant_identity": "alice"},
        headers={"Authorization": "Bearer one"},
    )

    status, code, msg = error_of(answer)
    assert (429, "resource_exhausted") == (status, code)
    assert "too many requests of one end user: RATE_LIMIT is 1 per 1 hour" == msg
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600


def test_a_key_that_is_refused_is_told_which_limit_it_is() -> None:
    """It is another setting that has to be raised."""
    client = client_for(None, None, RATE_LIMIT_KEY="1/hour", **KEY)
    ask(client)

    answer = client.post("/token", headers={"Authorization": "Bearer one"})

    status, code, msg = error_of(answer)
    assert (429, "resource_exhausted") == (status, code)
    assert "too many requests of one key: RATE_LIMIT_KEY is 1 per 1 hour" == msg
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600


def test_end_users_are_told_apart_by_the_header_that_the_backend_sends() -> None:
    """Where identities are fresh, or made anew for each call, they tell nobody apart."""
    client = client_for(
        None, None, RATE_LIMIT="1/hour", END_USER_HEADER="X-End-User",
        PARTICIPANT_IDENTITIES="fresh", **KEY,
    )  # fmt: skip
    told = ["192.0.2.1", "192.0.2.1:4711", "192.0.2.2", "2001:db8::1", "2001:db8::2", "user 7", "8"]

    statuses = [ask(client, **{"X-End-User": user}) for user in told]

    assert [201, 429, 201, 201, 429, 201, 201] == statuses


def test_the_header_counts_before_the_identity() -> None:
    """One person with many identities is one person; without the header the identity tells."""
    client = client_for(None, None, RATE_LIMIT="1/hour", END_USER_HEADER="X-End-User", **KEY)
    header = {"X-End-User": "192.0.2.1"}

    statuses = [ask(client, user=user, **header) for user in ("alice", "bob")]

    assert [201, 429, 201, 429] == [*statuses, ask(client, user="carol"), ask(client, user="carol")]


def test_long_headers_are_told_apart_too() -> None:
    """What is remembered of one has a bounded length."""
    client = client_for(None, None, RATE_LIMIT="1/hour", END_USER_HEADER="X-End-User", **KEY)
    told = ["x" * 5000, "x" * 5000, "x" * 4999 + "y"]

    assert [201, 429, 201] == [ask(client, **{"X-End-User": user}) for user in told]


@pytest.mark.parametrize("auth", [{"TOKEN_AUTH": "none"}, KEY], ids=["none", "a wrong key"])
def test_nobody_without_a_key_is_believed_who_the_end_user_is(auth: dict[str, str]) -> None:
    """Else anybody could have as many limits as they like."""
    client = client_for(None, None, RATE_LIMIT="2/hour", END_USER_HEADER="X-End-User", **auth)

    statuses = [
        ask(client, "guess", f"user-{number}", **{"X-End-User": f"192.0.2.{number}"})
        for number in range(4)
    ]

    assert [429, 429] == statuses[2:]


def test_one_end_user_takes_nothing_of_what_the_key_has_for_all() -> None:
    """One who asks without end would hold up everybody."""
    client = client_for(None, None, RATE_LIMIT="1/hour", RATE_LIMIT_KEY="3/hour", **KEY)

    loop = [ask(client, user="alice") for _ in range(9)]

    assert [201, *[429] * 8] == loop
    assert [201, 201, 429] == [ask(client, user=user) for user in ("bob", "carol", "dave")]


def test_a_stranger_with_wrong_keys_at_the_backends_address_does_not_hold_it_up() -> None:
    """A platform's programs share addresses, and an old instance may go on with an old key."""
    client = client_for(None, None, RATE_LIMIT="2/hour", **KEY)

    assert [401, 401, 429, 201] == [ask(client, key) for key in ("a", "b", "c", "one")]


def test_a_backends_request_counts_once_however_it_ends() -> None:
    """400: for the key alone, since nobody knows whom it was for; 403: for its end user too."""
    client = client_for(
        None, None, RATE_LIMIT="1/hour", RATE_LIMIT_KEY="3/hour", ROOM_NAMES="call-*", **KEY
    )
    headers: dict[str, Any] = {"headers": {"Authorization": "Bearer one"}}
    bodies = [{"participant_identity": 7}, {"participant_identity": "a", "room_name": "board"}]

    statuses = [client.post("/token", json=body, **headers).status_code for body in bodies]

    assert [400, 403, 429] == [*statuses, ask(client, user="a")]
    assert [201, 429] == [ask(client, user=user) for user in ("b", "c")]
    assert 429 == client.post("/token", json=bodies[0], **headers).status_code
