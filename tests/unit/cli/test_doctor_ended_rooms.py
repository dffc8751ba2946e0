"""Whether a room ends before its token, where LiveKit makes none anew."""

import re

import pytest

from token_server.cli.asking import HttpResult
from token_server.cli.doctor.ended_rooms import RoomTimeouts, check_ended_rooms
from token_server.cli.doctor.issued_token import IssuedToken

TOKEN = IssuedToken(
    participant_token="t",
    server_url="ws://livekit.example:7880",
    room_name="r",
    participant_identity="i",
    claims={"nbf": 1_000, "exp": 1_600},
)
MISSING = HttpResult(status=404, unverified_body=b"requested room does not exist\n")
A_PAGE = HttpResult(status=404, unverified_body=b"<html>")


@pytest.mark.parametrize(
    ("said", "timeouts", "finding", "to_set"),
    [
        pytest.param(HttpResult(status=200), None, "ok", [], id="made-anew"),
        pytest.param(MISSING, (600, 600), "ok", [], id="rooms-last"),
        pytest.param(MISSING, (5, 600), "wrong", ["EMPTY"], id="ends-empty"),
        pytest.param(MISSING, (600, 20), "wrong", ["DEPARTURE"], id="ends-when-left"),
        pytest.param(MISSING, (599, 20), "wrong", ["EMPTY", "DEPARTURE"], id="both"),
        pytest.param(MISSING, None, "skipped", [], id="time-outs-unknown"),
        pytest.param(A_PAGE, (5, 20), "skipped", [], id="another-404"),
        pytest.param(HttpResult(silence="no"), None, "skipped", [], id="silent"),
    ],
)
def test_a_good_token_needs_a_room_that_lasts_where_none_is_made_anew(
    said: HttpResult, timeouts: tuple[int, int] | None, finding: str, to_set: list[str]
) -> None:
    """LiveKit refuses it with 404, and nobody looks for a time-out."""
    known = RoomTimeouts(empty=timeouts[0], departure=timeouts[1]) if timeouts else None

    check = check_ended_rooms(TOKEN, said, known)

    assert (finding, "room-ends-first" if to_set else None) == (check.finding, check.cause)
    assert to_set == re.findall(r"ROOM_([A-Z]+)_TIMEOUT_SECONDS=600", check.cure)
