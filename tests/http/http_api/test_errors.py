"""What callers see when it is not their fault, and where nothing is."""

import logging

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeLiveKit
from tests.http.clients import client_for, error_of, failing_client
from tests.recording_keeper import RecordingKeeper
from token_server.errors import LiveKitRefusedKeyError, LiveKitRefusedRequestError


@pytest.mark.parametrize("path", ["/token/", "/tokens", "/", "/assets/x.js", "/%00", "/webhook/x"])
def test_an_unknown_path_is_a_json_404(client: FlaskClient, path: str) -> None:
    """A frontend that mistypes a path parses the answer all the same."""
    assert (404, "not_found", "404 Not Found") == error_of(client.get(path))


def test_livekit_down_is_unavailable(rooms: FakeLiveKit, keeper: RecordingKeeper) -> None:
    """503: the caller may try again, and nobody follows a room that there is not."""
    rooms.is_down = True

    status, code, _ = error_of(client_for(rooms, keeper).post("/token"))

    assert (503, "unavailable", []) == (status, code, keeper.followed)


@pytest.mark.parametrize(
    "error",
    [LiveKitRefusedKeyError("mend it"), LiveKitRefusedRequestError("a limit")],
    ids=["our key", "our request"],
)
def test_what_livekit_refuses_us_is_internal(
    error: LiveKitRefusedKeyError | LiveKitRefusedRequestError, caplog: pytest.LogCaptureFixture
) -> None:
    """Our fault and never the caller's 401; the operator is to find it in the log."""
    answer = failing_client(error).post("/token")

    assert (500, "internal", str(error)) == error_of(answer)
    assert [(logging.ERROR, str(error))] == [
        (record.levelno, vars(record)["reason"]) for record in caplog.records
    ]


def test_a_bug_shows_no_details(caplog: pytest.LogCaptureFixture) -> None:
    """A traceback may hold a token; the operator's log has it, the answer does not."""
    answer = failing_client(RuntimeError("MaRkEr")).post("/token")

    status, code, msg = error_of(answer)
    assert (500, "internal", False) == (status, code, "MaRkEr" in msg + str(answer.headers))
    assert ["RuntimeError"] == [
        record.exc_info[0].__name__
        for record in caplog.records
        if record.exc_info and record.exc_info[0]
    ]


def test_a_bug_is_not_cached() -> None:
    """Nothing under /token is."""
    answer = failing_client(RuntimeError("x")).post("/token")

    assert "no-store" == answer.headers.get("Cache-Control")


def test_a_refusal_is_logged_without_the_value(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """One line for whoever asks why a frontend gets 400, and no caller's data in it."""
    caplog.set_level(logging.INFO)

    client.post("/token", json={"room_name": "MaRkEr\n", "participant_metadata": "MaRkEr"})

    (record,) = caplog.records
    assert ("Refused", "/token", "invalid_argument", False) == (
        record.getMessage(),
        vars(record)["path"],
        vars(record)["code"],
        "MaRkEr" in str(vars(record)),
    )
