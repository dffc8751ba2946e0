"""There is one way to a token, whoever asks: the same view, the same errors, nothing done twice."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.fakes import FakeLiveKit
from tests.http.clients import FailingLiveKit, client_for, error_of
from tests.recording_keeper import RecordingKeeper
from token_server.errors import LiveKitUnavailableError
from token_server.http_api.token_endpoint import TOKEN_BODY_LIMIT

PAGE = {"Origin": "https://example.org"}


def post(client: FlaskClient, body: bytes, **more: Any) -> TestResponse:  # noqa: ANN401  # werkzeug's
    """Ask for a token."""
    return client.post("/token", data=body, **{"content_type": "application/json", **more})


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"content_type": "application/json; charset=utf-8"}, id="a charset"),
        pytest.param({"content_type": "application/JSON"}, id="capitals"),
        pytest.param({"headers": PAGE}, id="a page of another origin"),
    ],
)
def test_whoever_asks_is_answered_the_same(more: dict[str, Any]) -> None:
    """Status, fields, headers."""
    client = client_for(CORS_ORIGINS="https://example.org")
    plain, other = post(client, b"{}"), post(client, b"{}", **more)

    assert (201, plain.status) == (plain.status_code, other.status)
    assert set(plain.headers.keys()) == set(other.headers.keys())
    assert plain.get_json().keys() == other.get_json().keys()


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        pytest.param(b'{"room_name": 1}', "application/json", 400, id="a field"),
        pytest.param(b"{", "application/json", 400, id="no JSON"),
        pytest.param(b"{}", "text/plain", 415, id="no JSON by its type"),
        pytest.param(
            b'{"room_name": "%s"}' % (b"x" * TOKEN_BODY_LIMIT), "application/json", 413, id="long"
        ),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_done(
    client: FlaskClient, rooms: FakeLiveKit, body: bytes, content_type: str, expected: int
) -> None:
    """LiveKit hears nothing of it."""
    status, code, _ = error_of(post(client, body, content_type=content_type))

    assert (expected, "invalid_argument", []) == (status, code, rooms.calls)


def test_a_request_that_fails_late_is_not_made_twice(keeper: RecordingKeeper) -> None:
    """One call to LiveKit, one error."""
    rooms = FailingLiveKit(LiveKitUnavailableError("LiveKit is away"))

    answer = error_of(post(client_for(rooms, keeper), b"{}"))

    assert ((503, "unavailable", "LiveKit is away"), ["create_room"]) == (answer, rooms.calls)


def test_a_caller_is_counted_once_however_it_ends() -> None:
    """A bad request is one of those that a minute has."""
    client = client_for(RATE_LIMIT="2/minute")

    assert [400, 201, 429] == [post(client, body).status_code for body in (b"{", b"{}", b"{}")]


class Unreadable:
    """A body that fails when it is read."""

    def read(self, size: int = -1) -> bytes:
        """Fail as gunicorn's do, whatever is wrong with them."""
        raise OSError(size)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({}, 401, id="no key"),
        pytest.param({"headers": {"Authorization": "Bearer no-such"}}, 401, id="a wrong key"),
        pytest.param({"path": "/tokens"}, 404, id="no such path"),
        pytest.param({"method": "PUT"}, 405, id="no such method"),
        pytest.param({"headers": {"Authorization": "Bearer k"}}, 400, id="all right so far"),
    ],
)
def test_a_body_is_read_last(more: dict[str, Any], expected: int) -> None:
    """Whatever can be refused without it costs no byte of it; one that cannot be read is a 400."""
    client = client_for(TOKEN_AUTH="key", TOKEN_KEYS="k")
    asked = {"path": "/token", "method": "POST", "content_type": "application/json", **more}

    answer = client.open(
        **asked,
        environ_overrides={
            "wsgi.input": Unreadable(),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
        },
    )

    assert (expected, {"code", "msg"}) == (answer.status_code, set(json.loads(answer.data)))
