"""GET /rooms: who sees it, and what it says."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from threading import Event
from urllib.parse import quote

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tests.environ import settings
from tests.fakes import FakeLiveKit
from tests.http.clients import FailingLiveKit, error_of
from tests.recording_keeper import RecordingKeeper
from token_server.auth.operators import Operators
from token_server.cli.running_server import room_path
from token_server.errors import LiveKitUnavailableError
from token_server.http_api import rooms_endpoint
from token_server.http_api.app import create_app
from token_server.http_api.room_watch import RoomWatch
from token_server.keeper.failures import FAILURES_ATTRIBUTE, Failures
from token_server.keeper.wanted_agents import Policy
from token_server.livekit.port import AgentOrder, Participant, Room, RoomOrder
from token_server.state.timeline import NOT_KEPT
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer

SEALER = TicketSealer(settings().livekit_api_secret)
AGENT = "voice-agent"
KEY = {"Authorization": "Bearer operator"}


def app_of(rooms: FakeLiveKit, seconds: float = 5.0) -> Flask:
    """The application with an operator's key."""
    app = create_app(settings(), rooms, RecordingKeeper())
    watch = RoomWatch(rooms, SEALER, Policy(agent_names=(AGENT,)), NOT_KEPT, seconds=seconds)
    operators = Operators(["operator"], is_demo=False)
    app.register_blueprint(rooms_endpoint.create_blueprint(operators, watch))
    return app


@pytest.fixture
def rooms() -> FakeLiveKit:
    """An empty LiveKit."""
    return FakeLiveKit()


@pytest.fixture
def client(rooms: FakeLiveKit) -> FlaskClient:
    """A client."""
    return app_of(rooms).test_client()


def join(rooms: FakeLiveKit, room_name: str, identity: str = "alice") -> None:
    """Let somebody join with our token."""
    sealed = SEALER.seal(Ticket(room_name, identity, AgentOrder(agent_name=AGENT)))
    rooms.join(room_name, identity, {TICKET_ATTRIBUTE: sealed})


def room_order(room_name: str) -> RoomOrder:
    """Order an empty room."""
    minute = timedelta(minutes=1)
    return RoomOrder(room_name=room_name, empty_timeout=minute, departure_timeout=minute)


class LateCount(FakeLiveKit):
    """A LiveKit that has not counted who is in one of its rooms."""

    def __init__(self, room_name: str) -> None:
        super().__init__()
        self._room_name = room_name

    def list_rooms(self, room_names: Sequence[str] = ()) -> Sequence[Room]:
        return [
            replace(room, num_participants=0) if room.room_name == self._room_name else room
            for room in super().list_rooms(room_names)
        ]


class FailsFor(LateCount):
    """A LiveKit that has lost one of its rooms."""

    def list_participants(self, room_name: str) -> Sequence[Participant]:
        if room_name == self._room_name:
            raise LiveKitUnavailableError("gone")
        return super().list_participants(room_name)


class SilentFor(LateCount):
    """A LiveKit that does not answer for one of its rooms, until the test is over."""

    def __init__(self, room_name: str) -> None:
        super().__init__(room_name)
        self.answers = Event()

    def list_participants(self, room_name: str) -> Sequence[Participant]:
        if room_name == self._room_name:
            self.answers.wait()
        return super().list_participants(room_name)


@pytest.mark.parametrize("path", ["/rooms", "/rooms/kitchen"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}])
def test_only_the_operator_sees_them(
    client: FlaskClient, rooms: FakeLiveKit, path: str, headers: dict[str, str]
) -> None:
    """Who talks when is nobody else's business; and nobody else makes us ask LiveKit."""
    refused = client.get(path, headers=headers)

    assert (401, "unauthenticated") == error_of(refused)[:2]
    assert [] == rooms.calls


def test_a_room_that_waits(client: FlaskClient, rooms: FakeLiveKit) -> None:
    """Its human is there, and its job on the way."""
    join(rooms, "kitchen")
    dispatch = rooms.create_dispatch("kitchen", AgentOrder(agent_name=AGENT))
    rooms.pass_time(seconds=1)
    rooms.take_job("kitchen")

    shown = client.get("/rooms/kitchen", headers=KEY).get_json()

    ours = next(each for each in shown["dispatches"] if each["agent_name"] == AGENT)
    assert (True, False, "alice", "2026-01-01T00:00:00.000Z") == (
        shown["is_live"],
        shown["is_attended"],
        shown["participants"][0]["participant_identity"],
        shown["wanted"][0]["waiting_since"],
    )
    assert (dispatch.dispatch_id, "running") == (ours["dispatch_id"], ours["jobs"][0]["status"])
    assert "a worker has its job, and its agent is not here" == ours["state"]
    assert ["joined", "dispatched", "job_taken"] == [entry["event"] for entry in shown["timeline"]]


def test_a_room_that_waits_in_vain_has_advice(client: FlaskClient, rooms: FakeLiveKit) -> None:
    """The doctor's words, where the operator looks first; none once the agent has come."""
    join(rooms, "kitchen")
    rooms.pass_time(seconds=8)
    alone = client.get("/rooms/kitchen", headers=KEY).get_json()["advice"]
    rooms.join_agent("kitchen", AGENT)
    attended = client.get("/rooms/kitchen", headers=KEY).get_json()["advice"]

    assert ("not-dispatched", None) == (alone["cause"], attended)
    assert "has waited 8 s" in alone["evidence"]
    assert "log" in alone["cure"]


def test_nothing_in_it_is_the_participants_secret(client: FlaskClient, rooms: FakeLiveKit) -> None:
    """Attributes, metadata, the ticket."""
    join(rooms, "kitchen")

    text = client.get("/rooms/kitchen", headers=KEY).text

    assert ("attributes" in text, TICKET_ATTRIBUTE in text) == (False, False)


def test_an_attended_room(client: FlaskClient, rooms: FakeLiveKit) -> None:
    """One agent, and two are one too many."""
    join(rooms, "kitchen")
    rooms.join_agent("kitchen", AGENT)
    one = client.get("/rooms/kitchen", headers=KEY).get_json()
    rooms.join_agent("kitchen", AGENT, "agent-2")
    two = client.get("/rooms/kitchen", headers=KEY).get_json()

    assert (True, False) == (one["is_attended"], two["is_attended"])


def test_a_room_that_nobody_knows(client: FlaskClient) -> None:
    """ListDispatch would take 3 s for it (livekit-behaviour 5)."""
    assert (404, "not_found") == error_of(client.get("/rooms/kitchen", headers=KEY))[:2]


NAMES = ["a/b", "a b", "ä?#", "a//b", "%2F", "/x", "//", "x/", "a\nb", "\n", " ", "a?b=c&d", "%"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_may_have_any_character(client: FlaskClient, rooms: FakeLiveKit, name: str) -> None:
    """It comes quoted."""
    join(rooms, name)

    shown = client.get(f"/rooms/{quote(name, safe='')}", headers=KEY).get_json()

    assert name == shown["room_name"]


@hypothesis.settings(deadline=None)
@given(st.text(min_size=1))
def test_the_command_can_ask_for_whatever_room_there_is(name: str) -> None:
    """Clients resolve `.` and `..` in a path, and proxies more; a query comes through."""
    rooms = FakeLiveKit()
    join(rooms, name)

    shown = app_of(rooms).test_client().get(room_path(name), headers=KEY).get_json()

    assert name == shown["room_name"]


def test_a_query_names_one_room(client: FlaskClient, rooms: FakeLiveKit) -> None:
    """Which of two is meant is not guessed."""
    asked = client.get("/rooms?room_name=a&room_name=b", headers=KEY)

    assert (400, "invalid_argument") == error_of(asked)[:2]
    assert [] == rooms.calls


def test_those_that_wait_come_first(client: FlaskClient, rooms: FakeLiveKit) -> None:
    """Then those that are attended, then those that nobody of ours is in."""
    rooms.join("strangers", "bob")
    rooms.pass_time(seconds=1)
    join(rooms, "attended")
    rooms.join_agent("attended", AGENT)
    rooms.pass_time(seconds=1)
    join(rooms, "waiting")

    shown = client.get("/rooms", headers=KEY).get_json()["rooms"]

    assert [("waiting", False, [AGENT]), ("attended", True, []), ("strangers", None, [])] == [
        (room["room_name"], room["is_attended"], room["waiting_for"]) for room in shown
    ]


def test_a_room_whose_agents_fail_one_after_the_other_says_so(
    client: FlaskClient, rooms: FakeLiveKit
) -> None:
    """Also while the next one is there, which will fail as the others did."""
    join(rooms, "looping")
    rooms.join_agent("looping", AGENT)
    failures = Failures(in_a_row=3, last_at=rooms.now())
    (human, *_) = rooms.rooms["looping"].participants
    rooms.set_attributes("looping", human, {FAILURES_ATTRIBUTE: failures.to_attribute()})

    (room,) = client.get("/rooms", headers=KEY).get_json()["rooms"]

    assert (True, [AGENT]) == (room["is_attended"], room["failing"])


def test_more_rooms_than_can_be_looked_into_are_listed_as_unknown(
    client: FlaskClient, rooms: FakeLiveKit
) -> None:
    """Unknown is not attended."""
    for number in range(203):
        rooms.join(f"room-{number}", "bob")

    shown = client.get("/rooms", headers=KEY).get_json()["rooms"]

    assert (203, 3, 200) == (
        len(shown),
        sum(not room["is_known"] for room in shown),
        rooms.calls.count("list_participants"),
    )


@pytest.mark.parametrize("others", [0, 1, 3], ids=["empty", "with one", "full"])
@pytest.mark.parametrize("waits_since", ["before", "after"])
def test_no_number_of_other_rooms_hides_a_human_who_waits(
    client: FlaskClient, rooms: FakeLiveKit, others: int, waits_since: str
) -> None:
    """Rooms cost nothing to make; whoever makes them came before or after the human."""
    if waits_since == "before":
        join(rooms, "waiting")
    rooms.pass_time(seconds=1)
    for number in range(300):
        rooms.create_room(room_order(f"room-{number}"))
        for other in range(others):
            join(rooms, f"room-{number}", f"human-{other}")
            rooms.join_agent(f"room-{number}", AGENT)
    rooms.pass_time(seconds=1)
    if waits_since == "after":
        join(rooms, "waiting")

    shown = client.get("/rooms", headers=KEY).get_json()["rooms"]

    assert ("waiting", [AGENT]) == (shown[0]["room_name"], shown[0]["waiting_for"])


@pytest.mark.parametrize("others", [0, 3], ids=["empty", "full"])
def test_a_human_who_has_just_come_is_not_counted_yet_and_seen(others: int) -> None:
    """LiveKit's count of participants lags by up to 5 s (livekit-behaviour 6)."""
    rooms = LateCount("fresh")
    for number in range(300):
        rooms.create_room(room_order(f"room-{number}"))
        for other in range(others):
            rooms.join(f"room-{number}", f"stranger-{other}")
    rooms.pass_time(seconds=1)
    join(rooms, "fresh")

    shown = app_of(rooms).test_client().get("/rooms", headers=KEY).get_json()["rooms"]

    assert ("fresh", [AGENT]) == (shown[0]["room_name"], shown[0]["waiting_for"])


def test_a_room_that_livekit_does_not_answer_for_is_unknown() -> None:
    """The others are shown, and shown soon."""
    rooms = SilentFor("silent")
    join(rooms, "silent")
    join(rooms, "waiting")
    client = app_of(rooms, seconds=0.2).test_client()
    try:
        shown = client.get("/rooms", headers=KEY).get_json()["rooms"]
    finally:
        rooms.answers.set()

    assert [("waiting", True, [AGENT]), ("silent", False, [])] == [
        (room["room_name"], room["is_known"], room["waiting_for"]) for room in shown
    ]


def test_a_room_that_livekit_cannot_tell_of_is_unknown() -> None:
    """One node of several is gone, and its rooms with it."""
    rooms = FailsFor("failing")
    join(rooms, "failing")
    join(rooms, "waiting")

    shown = app_of(rooms).test_client().get("/rooms", headers=KEY).get_json()["rooms"]

    assert [("waiting", True), ("failing", False)] == [
        (room["room_name"], room["is_known"]) for room in shown
    ]


@pytest.mark.parametrize("path", ["/rooms", "/rooms/kitchen"])
def test_without_livekit_nothing_is_known(path: str) -> None:
    """An error is not an empty list."""
    client = app_of(FailingLiveKit(LiveKitUnavailableError("gone"))).test_client()

    assert (503, "unavailable") == error_of(client.get(path, headers=KEY))[:2]
