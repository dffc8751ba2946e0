"""The bad requests that `make bench` sends by the hundred thousand, some of them, one by one."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bench.bad_requests import BadRequests
from tests.fakes import FakeRooms
from tests.http.clients import client_for, error_of
from tests.recording_keeper import RecordingKeeper

BAD = BadRequests(port=0, caller_key="a-made-up-caller-key")


@pytest.fixture
def strict(rooms: FakeRooms, keeper: RecordingKeeper) -> FlaskClient:
    """A client of an application that wants a key."""
    return client_for(rooms, keeper, TOKEN_AUTH="key", TOKEN_KEYS=BAD.caller_key)


def send(client: FlaskClient, request: bytes) -> TestResponse:
    """Send the bytes of a request as werkzeug's client would."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return client.open(path, method=method, headers=headers, data=body)


def test_every_bad_request_is_refused_and_leads_to_nothing(
    strict: FlaskClient, rooms: FakeRooms, keeper: RecordingKeeper
) -> None:
    """No token, no room, no look; and an error that says why."""
    for number in range(1_000):
        request = BAD.request(number)
        status, _, msg = error_of(send(strict, request))
        assert 400 <= status < 500, request
        assert BAD.caller_key not in msg

    assert ([], []) == (rooms.calls, keeper.followed)


def test_they_are_bad_in_many_ways() -> None:
    """A generator that makes one kind only would prove nothing."""
    requests = {BAD.request(number) for number in range(1_000)}

    assert len(requests) > 600
    for start in (b"POST /token", b"GET /token?", b"POST /webhook"):
        assert any(request.startswith(start) for request in requests)
