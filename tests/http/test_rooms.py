"""GET /rooms: who sees it, and what it says."""

from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.environ import settings
from tests.fakes import FakeRooms
from tests.http.clients import FailingRooms, error_of
from tests.recording_keeper import RecordingKeeper
from token_server import rooms_page
from token_server.app import create_app
from token_server.errors import LiveKitUnavailableError
from token_server.operators import Operators
from token_server.room_watch import RoomWatch
from token_server.rooms import AgentOrder
from token_server.ticket import TICKET_ATTRIBUTE, Ticket, TicketSealer
from token_server.timeline import NOT_KEPT
from token_server.wants import Policy

SEALER = TicketSealer(settings().livekit_api_secret)
AGENT = "voice-agent"
KEY = {"Authorization": "Bearer operator"}


def app_of(rooms: FakeRooms) -> Flask:
    """The application with an operator's key."""
    app = create_app(settings(), rooms, RecordingKeeper())
    watch = RoomWatch(rooms, SEALER, Policy(agent_names=(AGENT,)), NOT_KEPT)
    operators = Operators(["operator"], is_demo=False)
    app.register_blueprint(rooms_page.create_blueprint(operators, watch))
    return app


@pytest.fixture
def rooms() -> FakeRooms:
    """An empty LiveKit."""
    return FakeRooms()


@pytest.fixture
def client(rooms: FakeRooms) -> FlaskClient:
    """A client."""
    return app_of(rooms).test_client()


def join(rooms: FakeRooms, room_name: str) -> None:
    """Let alice join with our token."""
    sealed = SEALER.seal(Ticket(room_name, "alice", AgentOrder(agent_name=AGENT)))
    rooms.join(room_name, "alice", {TICKET_ATTRIBUTE: sealed})


@pytest.mark.parametrize("path", ["/rooms", "/rooms/kitchen"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}])
def test_only_the_operator_sees_them(
    client: FlaskClient, rooms: FakeRooms, path: str, headers: dict[str, str]
) -> None:
    """Who talks when is nobody else's business; and nobody else makes us ask LiveKit."""
    refused = client.get(path, headers=headers)

    assert (401, "unauthenticated") == error_of(refused)[:2]
    assert [] == rooms.calls


def test_a_room_that_waits(client: FlaskClient, rooms: FakeRooms) -> None:
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


def test_a_room_that_waits_in_vain_has_advice(client: FlaskClient, rooms: FakeRooms) -> None:
    """The doctor's words, where the operator looks first; none once the agent has come."""
    join(rooms, "kitchen")
    rooms.pass_time(seconds=8)
    alone = client.get("/rooms/kitchen", headers=KEY).get_json()["advice"]
    rooms.join_agent("kitchen", AGENT)
    attended = client.get("/rooms/kitchen", headers=KEY).get_json()["advice"]

    assert ("not-dispatched", None) == (alone["cause"], attended)
    assert "has waited 8 s" in alone["evidence"]
    assert "log" in alone["cure"]


def test_nothing_in_it_is_the_participants_secret(client: FlaskClient, rooms: FakeRooms) -> None:
    """Attributes, metadata, the ticket."""
    join(rooms, "kitchen")

    text = client.get("/rooms/kitchen", headers=KEY).text

    assert ("attributes" in text, TICKET_ATTRIBUTE in text) == (False, False)


def test_an_attended_room(client: FlaskClient, rooms: FakeRooms) -> None:
    """One agent, and two are one too many."""
    join(rooms, "kitchen")
    rooms.join_agent("kitchen", AGENT)
    one = client.get("/rooms/kitchen", headers=KEY).get_json()
    rooms.join_agent("kitchen", AGENT, "agent-2")
    two = client.get("/rooms/kitchen", headers=KEY).get_json()

    assert (True, False) == (one["is_attended"], two["is_attended"])


def test_a_room_that_nobody_knows(client: FlaskClient) -> None:
    """ListDispatch would take 3 s for it (facts, 8)."""
    assert (404, "not_found") == error_of(client.get("/rooms/kitchen", headers=KEY))[:2]


@pytest.mark.parametrize("name", ["a/b", "a b", "ä?#", "a//b", "%2F"])
def test_a_name_may_have_any_character(client: FlaskClient, rooms: FakeRooms, name: str) -> None:
    """It comes quoted."""
    join(rooms, name)

    shown = client.get(f"/rooms/{quote(name, safe='')}", headers=KEY).get_json()

    assert name == shown["room_name"]


def test_those_that_wait_come_first(client: FlaskClient, rooms: FakeRooms) -> None:
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


def test_more_rooms_than_can_be_looked_into_are_listed_as_unknown(
    client: FlaskClient, rooms: FakeRooms
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


@pytest.mark.parametrize("path", ["/rooms", "/rooms/kitchen"])
def test_without_livekit_nothing_is_known(path: str) -> None:
    """An error is not an empty list."""
    client = app_of(FailingRooms(LiveKitUnavailableError("gone"))).test_client()

    assert (503, "unavailable") == error_of(client.get(path, headers=KEY))[:2]
