"""Which requests for tokens are answered before Flask, and that nobody could tell."""

from typing import Any

import pytest
from flask import request_started
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.fakes import FakeRooms
from tests.http.clients import FailingRooms, client_for, error_of
from tests.recording_keeper import RecordingKeeper
from token_server.errors import LiveKitUnavailableError
from token_server.token_endpoint import TOKEN_BODY_LIMIT

PLAIN = "application/json"
# The same to Flask, and not what is answered before.
DECLARED = "application/json; charset=utf-8"


class Asked:
    """What a client was answered, and how many of its requests Flask has seen."""

    def __init__(self, client: FlaskClient) -> None:
        self._client, self.seen_by_flask = client, 0

    def post(self, body: bytes, content_type: str = PLAIN, **more: Any) -> TestResponse:  # noqa: ANN401  # werkzeug's
        """Ask for a token."""
        with request_started.connected_to(self._count, self._client.application):
            return self._client.post("/token", data=body, content_type=content_type, **more)

    def _count(self, *_: object, **__: object) -> None:
        self.seen_by_flask += 1


def test_a_plain_request_never_reaches_flask(client: FlaskClient, rooms: FakeRooms) -> None:
    """The room is made, the token issued, once."""
    asked = Asked(client)

    answer = asked.post(b'{"room_name": "kitchen"}')

    assert (201, "kitchen", 0) == (
        answer.status_code,
        answer.get_json()["room_name"],
        asked.seen_by_flask,
    )
    assert ["create_room"] == rooms.calls


def test_flask_answers_the_same(client: FlaskClient) -> None:
    """Status, headers, and what is in the body."""
    asked = Asked(client)

    plain, declared = asked.post(b"{}"), asked.post(b"{}", DECLARED)

    assert 1 == asked.seen_by_flask
    assert plain.status == declared.status
    assert set(plain.headers) - {plain_length(plain)} == set(declared.headers) - {
        plain_length(declared)
    }
    assert plain.get_json().keys() == declared.get_json().keys()


def plain_length(answer: TestResponse) -> tuple[str, str]:
    """Return the one header that differs with the token."""
    return "Content-Length", answer.headers["Content-Length"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b'{"room_name": 1}', (400, "invalid_argument"), id="a field"),
        pytest.param(b"{", (400, "invalid_argument"), id="no JSON"),
        pytest.param(b'{"room_name": "%s"}' % (b"x" * TOKEN_BODY_LIMIT), (413, ""), id="too long"),
    ],
)
def test_what_is_wrong_is_said_by_flask(
    client: FlaskClient, rooms: FakeRooms, body: bytes, expected: tuple[int, str]
) -> None:
    """There is one place that renders errors."""
    asked = Asked(client)

    status, code, _ = error_of(asked.post(body))

    assert expected in {(status, code), (status, "")}
    assert (1, []) == (asked.seen_by_flask, rooms.calls)


def test_a_request_that_fails_late_is_not_made_twice(keeper: RecordingKeeper) -> None:
    """Flask only says what has gone wrong."""
    rooms = FailingRooms(LiveKitUnavailableError("LiveKit is away"))
    asked = Asked(client_for(rooms, keeper))

    assert (503, "unavailable", "LiveKit is away") == error_of(asked.post(b"{}"))
    assert (1, ["create_room"]) == (asked.seen_by_flask, rooms.calls)


def test_a_caller_is_counted_once_however_it_ends() -> None:
    """The door is not gone through again to say what was wrong."""
    asked = Asked(client_for(RATE_LIMIT="2/minute"))

    statuses = [asked.post(b"{").status_code, asked.post(b"{}").status_code]

    assert [400, 201, 429] == [*statuses, asked.post(b"{}").status_code]


def test_pages_of_other_origins_get_their_headers() -> None:
    """Flask-CORS knows which; without CORS_ORIGINS there is nothing to add."""
    page = {"Origin": "https://example.org"}
    shared = Asked(client_for(CORS_ORIGINS="https://example.org"))
    own = Asked(client_for())

    allowed = shared.post(b"{}", headers=page).headers.get("Access-Control-Allow-Origin")

    assert ("https://example.org", 201, 201) == (
        allowed,
        shared.post(b"{}").status_code,
        own.post(b"{}", headers=page).status_code,
    )
    assert (1, 0) == (shared.seen_by_flask, own.seen_by_flask)
