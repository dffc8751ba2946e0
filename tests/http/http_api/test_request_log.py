"""One log line for each request to /token and /webhook, with the room where it is known."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.http.clients import client_for, failing_client
from tests.webhook_signing import joined, sign
from token_server.errors import LiveKitRefusedKeyError, LiveKitUnavailableError, TokenServerError

KITCHEN: dict[str, Any] = {"json": {"room_name": "kitchen"}}
Line = tuple[str, str, str | None, str | None]


@pytest.fixture(autouse=True)
def informed(caplog: pytest.LogCaptureFixture) -> None:
    """As gunicorn_conf.py sets it."""
    caplog.set_level(logging.INFO)


def lines(caplog: pytest.LogCaptureFixture) -> list[Line]:
    """Return level, message, code and room of each line."""
    return [
        (record.levelname, record.getMessage(), found.get("code"), found.get("room"))
        for record in caplog.records
        if (found := vars(record))
    ]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_is_one_line(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """With the room, by which all that happens there afterwards is found."""
    query = {"query_string": {"room_name": "kitchen"}}
    given: dict[str, Any] = KITCHEN if method == "POST" else query

    client.open("/token", method=method, **given)

    assert [("INFO", "Room ready", None, "kitchen")] == lines(caplog)


def test_a_fresh_rooms_name_is_in_the_line(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller did not choose it, and learns it from the answer."""
    answer = client.post("/token").get_json()

    assert [answer["room_name"]] == [room for *_, room in lines(caplog)]


BROKEN = {
    "LiveKit is silent": (LiveKitUnavailableError("x"), ("INFO", "Refused", "unavailable")),
    "LiveKit refuses our key": (LiveKitRefusedKeyError("x"), ("ERROR", "Refused", "internal")),
    "a bug": (RuntimeError("x"), ("ERROR", "A request failed", "internal")),
}


@pytest.mark.parametrize(("error", "expected"), BROKEN.values(), ids=BROKEN.keys())
def test_a_token_that_cannot_be_made_is_one_line_with_its_room(
    caplog: pytest.LogCaptureFixture,
    error: TokenServerError | RuntimeError,
    expected: tuple[str, str, str],
) -> None:
    """Somebody will ask what happened in that room."""
    failing_client(error).post("/token", **KITCHEN)

    assert [(*expected, "kitchen")] == lines(caplog)


REFUSED: dict[str, tuple[Mapping[str, str], dict[str, Any], tuple[str, str | None]]] = {
    "another room": ({"ROOM_NAMES": "hall"}, KITCHEN, ("permission_denied", "kitchen")),
    "another agent": (
        {},
        {"json": {"room_name": "kitchen", "room_config": {"agents": [{"agent_name": "x"}]}}},
        ("permission_denied", "kitchen"),
    ),
    "no key": ({"TOKEN_AUTH": "key", "TOKEN_KEYS": "k"}, KITCHEN, ("unauthenticated", None)),
    "no JSON": ({}, {"data": b"[", "content_type": "application/json"}, ("invalid_argument", None)),
    "not declared": ({}, {"data": b"{}"}, ("invalid_argument", None)),
    "a bad name": ({}, {"json": {"room_name": "a\nb"}}, ("invalid_argument", None)),
    "too large": ({}, {"json": {"x": "x" * 70_000}}, ("invalid_argument", None)),
    "another method": ({}, {"method": "DELETE"}, ("bad_route", None)),
}


@pytest.mark.parametrize(("settings", "given", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_token_is_one_line(
    caplog: pytest.LogCaptureFixture,
    settings: Mapping[str, str],
    given: dict[str, Any],
    expected: tuple[str, str | None],
) -> None:
    """A room's name that has not been checked is in no line."""
    client_for(None, None, **settings).open("/token", **{"method": "POST", **given})

    assert [("INFO", "Refused", *expected)] == lines(caplog)


def test_who_asks_too_often_is_a_line_each_time(caplog: pytest.LogCaptureFixture) -> None:
    """And nothing is looked at before they are turned away."""
    client = client_for(RATE_LIMIT="1/minute")

    for _ in range(3):
        client.post("/token", **KITCHEN)

    once_more = ("INFO", "Refused", "resource_exhausted", None)
    assert [("INFO", "Room ready", None, "kitchen"), once_more, once_more] == lines(caplog)


# These are signed when the tests are collected, and looked at minutes later.
AN_HOUR = timedelta(hours=1)
WEBHOOKS = {
    "not signed": ({"data": b"{}"}, "unauthenticated"),
    "signed rubbish": (
        {"data": b"[]", "headers": {"Authorization": sign(b"[]", ttl=AN_HOUR)}},
        "invalid_argument",
    ),
    "another method": ({"method": "GET"}, "bad_route"),
}


@pytest.mark.parametrize(("given", "code"), WEBHOOKS.values(), ids=WEBHOOKS.keys())
def test_a_refused_webhook_is_one_line(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, given: dict[str, Any], code: str
) -> None:
    """Without a room: who sent it is not known."""
    client.open("/webhook", **{"method": "POST", **given})

    assert [("INFO", "Refused", code, None)] == lines(caplog)


CAME = {"kind": "participant_joined", "room": "kitchen", "identity": "alice"}


def test_a_webhook_that_somebody_came_is_one_line(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """It begins what the room's next lines go on with."""
    client.post("/webhook", data=joined(), headers={"Authorization": sign(joined())})

    assert [("INFO", "Webhook", None, "kitchen")] == lines(caplog)
    assert CAME == {name: vars(caplog.records[0]).get(name) for name in CAME}


@pytest.mark.parametrize(
    ("level", "expected"),
    [(logging.INFO, []), (logging.DEBUG, [("DEBUG", "Webhook", None, "kitchen")])],
    ids=["info", "debug"],
)
def test_other_webhooks_are_lines_at_debug_level(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, level: int, expected: list[Line]
) -> None:
    """LiveKit sends a dozen for each call."""
    caplog.set_level(level, "token_server")
    body = joined(event="track_published")

    client.post("/webhook", data=body, headers={"Authorization": sign(body)})

    assert expected == lines(caplog)


@pytest.mark.parametrize("room", [None, [], 17, {"name": None}, {"name": ""}, {"sid": "RM_1"}])
def test_a_webhook_without_a_room_is_one_line_without_one(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, room: object
) -> None:
    """Signed, and yet not what we know."""
    caplog.set_level(logging.DEBUG, "token_server")
    body = joined(event="ingress_started", room=room)

    client.post("/webhook", data=body, headers={"Authorization": sign(body)})

    assert [("DEBUG", "Webhook", None, None)] == lines(caplog)


def test_a_webhook_that_cannot_be_read_is_only_a_refusal(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """It passes by two places that could write a line."""
    body = joined(participant={"identity": 17})

    client.post("/webhook", data=body, headers={"Authorization": sign(body)})

    assert [("INFO", "Refused", "invalid_argument", None)] == lines(caplog)


@pytest.mark.parametrize("path", ["/", "/wp-login.php", "/healthz"])
def test_other_requests_are_no_lines(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """The internet guesses at paths all day long, and platforms ask for our health."""
    client.get(path)

    assert [] == lines(caplog)
