"""Calls to LiveKit that go well, and its clock."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import hypothesis
import jwt
import pytest
from hypothesis import strategies as st
from livekit.api import TokenVerifier, VideoGrants
from livekit.protocol import models
from livekit.protocol.room import ListRoomsRequest, ListRoomsResponse

from tests.processes import API_KEY, API_SECRET
from tests.twirp_server import Canned, TwirpServer, answer, error
from token_server.errors import LiveKitRefusedKeyError, LiveKitUnavailableError
from token_server.livekit.server_clock import ServerClock
from token_server.livekit.twirp import Method, Twirp

LIST = Method("RoomService/ListRooms", ListRoomsResponse)
KITCHEN = ListRoomsResponse(rooms=[models.Room(name="kitchen")])
REQUEST = ListRoomsRequest(names=["kitchen"])


def http_date(offset: timedelta) -> str:
    """Return a Date header that is off by so much."""
    return format_datetime(datetime.now(UTC) + offset, usegmt=True)


def offset(clock: ServerClock) -> float:
    """Return the seconds by which the clock is ahead of ours."""
    return clock.now().timestamp() - time.time()


def test_a_call_brings_the_answer() -> None:
    """Method and message as LiveKit's Twirp wants them."""
    with TwirpServer(answer(KITCHEN)) as server:
        found = Twirp(server.url, API_KEY, API_SECRET).call(LIST, REQUEST, {})

    (asked,) = server.asked
    assert (KITCHEN, "/twirp/livekit.RoomService/ListRooms", REQUEST) == (
        found,
        asked.path,
        ListRoomsRequest.FromString(asked.body),
    )


def test_an_http_url_works_as_well() -> None:
    """LIVEKIT_URL is written both ways."""
    with TwirpServer(answer(KITCHEN)) as server:
        url = server.url.replace("ws", "http", 1)

        assert KITCHEN == Twirp(url, API_KEY, API_SECRET).call(LIST, REQUEST, {})


def test_a_call_is_signed_with_its_grants() -> None:
    """The least that LiveKit wants for the method."""
    with TwirpServer(answer(KITCHEN)) as server:
        Twirp(server.url, API_KEY, API_SECRET).call(LIST, REQUEST, {"roomList": True})

    scheme, _, token = server.asked[0].authorization.partition(" ")
    video = TokenVerifier(API_KEY, API_SECRET).verify(token).video
    assert ("Bearer", VideoGrants(room_list=True)) == (scheme, video)


def test_calls_share_a_connection_and_a_signature() -> None:
    """Both cost more than the call itself (livekit-behaviour 71)."""
    with TwirpServer(answer(KITCHEN)) as server:
        twirp = Twirp(server.url, API_KEY, API_SECRET)
        for _ in range(3):
            twirp.call(LIST, REQUEST, {"roomList": True})

    assert 1 == len({(asked.port, asked.authorization) for asked in server.asked})


def test_other_grants_have_a_signature_of_their_own() -> None:
    """A token for one room opens no other."""
    with TwirpServer(answer(KITCHEN)) as server:
        twirp = Twirp(server.url, API_KEY, API_SECRET)
        for room_name in ("kitchen", "bedroom"):
            twirp.call(LIST, REQUEST, {"roomAdmin": True, "room": room_name})

    assert 2 == len({asked.authorization for asked in server.asked})


def test_more_rooms_than_signatures_are_kept_for_are_no_trouble() -> None:
    """One signature a room: memory must not grow with the rooms that ever were."""
    with TwirpServer(answer(KITCHEN)) as server:
        twirp = Twirp(server.url, API_KEY, API_SECRET)
        for number in range(1100):
            twirp.call(LIST, REQUEST, {"roomAdmin": True, "room": str(number)})

    assert 1100 == len({asked.authorization for asked in server.asked})


@pytest.mark.parametrize("hours", [-2, 0, 2])
def test_the_clock_is_livekits(hours: int) -> None:
    """All windows are measured on it; our own may be off."""
    date = http_date(timedelta(hours=hours))
    headers = {"Date": date, "Content-Type": "application/protobuf"}
    with TwirpServer(Canned(200, b"", headers)) as server:
        twirp = Twirp(server.url, API_KEY, API_SECRET)
        twirp.call(LIST, REQUEST, {})

    assert abs(offset(twirp.clock) - hours * 3600) < 2


def test_an_error_tells_the_time_as_well() -> None:
    """A server in trouble is no reason for a wrong clock."""
    canned = Canned(500, error("internal").body, {"Date": http_date(timedelta(hours=2))})
    with TwirpServer(canned) as server:
        twirp = Twirp(server.url, API_KEY, API_SECRET)
        with pytest.raises(LiveKitUnavailableError):
            twirp.call(LIST, REQUEST, {})

    assert abs(offset(twirp.clock) - 7200) < 2


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("is_repeatable", [True, False])
def test_a_token_of_our_own_wrong_time_is_signed_again(*, is_repeatable: bool, hours: int) -> None:
    """LiveKit refuses it, and tells with the refusal what time it is; it has done nothing yet."""
    date = {"Date": http_date(timedelta(hours=hours))}
    refused = Canned(401, b"invalid authorization token", date)
    with TwirpServer(refused, answer(KITCHEN)) as server:
        method = Method(LIST.name, ListRoomsResponse, is_repeatable=is_repeatable)

        assert KITCHEN == Twirp(server.url, API_KEY, API_SECRET).call(method, REQUEST, {})

    tokens = [asked.authorization.removeprefix("Bearer ") for asked in server.asked]
    began = [jwt.decode(one, options={"verify_signature": False})["nbf"] for one in tokens]
    assert hours == round((began[1] - began[0]) / 3600, 2)


def test_a_token_of_the_right_time_that_is_refused_is_not_signed_again() -> None:
    """The key is wrong: asking once more would not help."""
    refused = Canned(401, b"invalid API key", {"Date": http_date(timedelta())})
    with TwirpServer(refused) as server, pytest.raises(LiveKitRefusedKeyError):
        Twirp(server.url, API_KEY, API_SECRET).call(LIST, REQUEST, {})

    assert 1 == len(server.asked)


@pytest.mark.parametrize("date_header", [None, "", "yesterday", "32 Foo 2026 25:61:61 GMT"])
def test_without_a_date_the_clock_is_ours(date_header: str | None) -> None:
    """Until LiveKit has told."""
    clock = ServerClock()

    clock.learn(date_header, time.time())

    assert abs(offset(clock)) < 1


def test_the_largest_difference_counts() -> None:
    """The header is cut to whole seconds: every other guess is further off."""
    clock = ServerClock()

    for seconds in (100, 101, 100, 99):
        clock.learn(http_date(timedelta(seconds=seconds)), time.time())

    assert 100 <= round(offset(clock), 3) <= 101


@hypothesis.given(st.text() | st.datetimes().map(format_datetime))
def test_whatever_the_date_header_says_the_call_goes_on(date_header: str) -> None:
    """An answer must not be lost for its header."""
    ServerClock().learn(date_header, time.time())
