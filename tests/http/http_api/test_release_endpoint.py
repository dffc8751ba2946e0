"""POST /rooms/{room_name}/release: who may, what it does, and what it says."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shared_settings.release_marks import is_released, release_attribute
from tests.environ import settings
from tests.fakes import FakeLiveKit
from tests.http.clients import error_of
from tests.recording_keeper import RecordingKeeper
from token_server.auth.operators import Operators
from token_server.cli.running_server import release_path
from token_server.errors import LiveKitUnavailableError
from token_server.http_api import rooms_endpoint
from token_server.http_api.app import create_app
from token_server.http_api.room_releases import RoomReleases
from token_server.http_api.room_watch import RoomWatch
from token_server.keeper.wanted_agents import Policy
from token_server.livekit.port import AgentOrder
from token_server.state.timeline import Entry, Timeline
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer

SECRETS = (settings().livekit_api_secret,)
SEALER = TicketSealer(*SECRETS)
AGENT = "voice-agent"
POLICY = Policy(agent_names=(AGENT,))
KEY = {"Authorization": "Bearer operator"}


class FragileLiveKit(FakeLiveKit):
    """A LiveKit that goes away before the second call of this name."""

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self._name = name

    def _call(self, name: str) -> None:
        super()._call(name)
        if name == self._name and self.calls.count(name) > 1:
            raise LiveKitUnavailableError("gone")


@dataclass
class Locks:
    """Room locks that somebody else has, for so many tries."""

    busy: int = 0
    held: list[bool] = field(default_factory=list)

    @contextmanager
    def hold_room(self, room_name: str) -> Iterator[bool]:
        """Hold it, unless somebody else does."""
        del room_name
        self.held.append(len(self.held) >= self.busy)
        yield self.held[-1]


class Shelf:
    """Keeps what is noted."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def put(self, entries: Sequence[Entry]) -> bool:
        """Keep them."""
        self.entries += entries
        return True

    def of(self, room_name: str) -> list[Entry]:
        """Return a room's."""
        return [entry for entry in self.entries if entry.room_name == room_name]


def app_of(rooms: FakeLiveKit, locks: Locks | None = None, seconds: float = 5.0) -> Flask:
    """The application with an operator's key."""
    timeline = Timeline(rooms.now, "here", Shelf())
    app = create_app(settings(), rooms, RecordingKeeper())
    operators = Operators(["operator"], is_demo=False)
    watch = RoomWatch(rooms, SEALER, POLICY, timeline)
    app.register_blueprint(rooms_endpoint.create_blueprint(operators, watch))
    releases = RoomReleases(
        livekit=rooms,
        locks=locks or Locks(),
        sealer=SEALER,
        policy=POLICY,
        timeline=timeline,
        seconds=seconds,
    )
    app.register_blueprint(rooms_endpoint.create_releases_blueprint(operators, releases))
    return app


@pytest.fixture
def rooms() -> FakeLiveKit:
    """A LiveKit with Alice in the kitchen, and her agent."""
    rooms = FakeLiveKit()
    attend(rooms, "kitchen", "alice")
    return rooms


@pytest.fixture
def client(rooms: FakeLiveKit) -> FlaskClient:
    """A client."""
    return app_of(rooms).test_client()


def attend(rooms: FakeLiveKit, room_name: str, *identities: str) -> None:
    """Let humans join with our tokens, and send their agent."""
    for identity in identities:
        sealed = SEALER.seal(Ticket(room_name, identity, AgentOrder(agent_name=AGENT)))
        rooms.join(room_name, identity, {TICKET_ATTRIBUTE: sealed})
    rooms.create_dispatch(room_name, AgentOrder(agent_name=AGENT))
    rooms.calls.clear()


def is_marked(rooms: FakeLiveKit, identity: str = "alice", room_name: str = "kitchen") -> bool:
    """Whether LiveKit lists a human with a genuine mark."""
    attributes = rooms.rooms[room_name].participants[identity].attributes
    return is_released(SECRETS, room_name, identity, AGENT, attributes)


def sent_for(rooms: FakeLiveKit) -> list[str]:
    """The agents of the kitchen's dispatches."""
    return [each.agent_name for each in rooms.rooms["kitchen"].dispatches.values()]


@pytest.mark.parametrize("path", ["/rooms/kitchen/release", "/rooms/release?room_name=kitchen"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}])
def test_only_the_operator_releases(
    client: FlaskClient, rooms: FakeLiveKit, path: str, headers: dict[str, str]
) -> None:
    """Whoever has a token for the room has none for this."""
    refused = client.post(path, headers=headers)

    assert (401, "unauthenticated") == error_of(refused)[:2]
    assert [] == rooms.calls


def test_a_call_is_taken_over(client: FlaskClient, rooms: FakeLiveKit) -> None:
    """Marked first: a look in between sends nobody."""
    answer = client.post("/rooms/kitchen/release", headers=KEY)

    assert (200, "no-store") == (answer.status_code, answer.headers["Cache-Control"])
    assert answer.get_json() == {
        "room_name": "kitchen",
        "released": [{"participant_identity": "alice", "agent_name": AGENT}],
        "dispatches_deleted": 1,
        "agents_removed": 0,
    }
    assert (True, [""]) == (is_marked(rooms), sent_for(rooms))
    assert ["set_attributes", "delete_dispatch"] == rooms.calls[-2:]


def test_the_ticket_stays(client: FlaskClient, rooms: FakeLiveKit) -> None:
    """Nothing else of the human's is changed."""
    before = dict(rooms.rooms["kitchen"].participants["alice"].attributes)

    client.post("/rooms/kitchen/release", headers=KEY)

    after = rooms.rooms["kitchen"].participants["alice"].attributes
    assert before | {release_attribute(AGENT): after[release_attribute(AGENT)]} == after


def test_an_agent_without_a_dispatch_is_put_out(client: FlaskClient, rooms: FakeLiveKit) -> None:
    """Somebody has taken its dispatch back, and it has stayed."""
    rooms.join_agent("kitchen", AGENT)

    answer = client.post("/rooms/kitchen/release", headers=KEY).get_json()

    assert (1, ["alice"]) == (answer["agents_removed"], list(rooms.rooms["kitchen"].participants))


def test_the_second_time_there_is_nothing_to_do(client: FlaskClient, rooms: FakeLiveKit) -> None:
    """And the answer says the same of the humans."""
    first = client.post("/rooms/kitchen/release", headers=KEY).get_json()
    rooms.calls.clear()
    second = client.post("/rooms/kitchen/release", headers=KEY).get_json()

    assert first | {"dispatches_deleted": 0} == second
    assert ["list_rooms", "list_participants", "list_dispatches"] == rooms.calls


@pytest.mark.parametrize("fragile", ["set_attributes", "delete_dispatch"])
def test_what_broke_off_half_way_is_done_by_the_next_request(fragile: str) -> None:
    """The first says 503, and nobody who is marked is marked again."""
    rooms = FragileLiveKit(fragile)
    attend(rooms, "kitchen", "alice", "bob")
    attend(rooms, "kitchen")
    client = app_of(rooms).test_client()

    broken = client.post("/rooms/kitchen/release", headers=KEY)
    rooms.calls.clear()
    mended = client.post("/rooms/kitchen/release", headers=KEY)

    assert ((503, "unavailable"), 200) == (error_of(broken)[:2], mended.status_code)
    assert ["alice", "bob"] == [
        each["participant_identity"] for each in mended.get_json()["released"]
    ]
    assert (True, True, [""]) == (is_marked(rooms), is_marked(rooms, "bob"), sent_for(rooms))
    assert (1 if fragile == "set_attributes" else 0) == rooms.calls.count("set_attributes")


def test_what_takes_too_long_is_broken_off(rooms: FakeLiveKit) -> None:
    """A room of hundreds on a slow LiveKit: the next request does the rest."""
    slow = app_of(rooms, seconds=0.0).test_client().post("/rooms/kitchen/release", headers=KEY)

    assert (503, "unavailable") == error_of(slow)[:2]
    assert "ask again" in error_of(slow)[2]


def test_without_livekit_nothing_is_released(client: FlaskClient, rooms: FakeLiveKit) -> None:
    """An error is no answer."""
    rooms.is_down = True

    assert (503, "unavailable") == error_of(client.post("/rooms/kitchen/release", headers=KEY))[:2]


def test_a_room_that_is_not_there(client: FlaskClient, rooms: FakeLiveKit) -> None:
    """ListDispatch would take 3 s for it (livekit-behaviour 5)."""
    answer = client.post("/rooms/cellar/release", headers=KEY)

    assert (404, "not_found", "room_name is not a live room") == error_of(answer)
    assert ["list_rooms"] == rooms.calls


def test_a_human_who_has_just_left_is_not_told_of(rooms: FakeLiveKit) -> None:
    """Between the list and the mark."""

    class Leaving(FakeLiveKit):
        def set_attributes(
            self, room_name: str, identity: str, attributes: Mapping[str, str]
        ) -> bool:
            self.leave(room_name, identity)
            return super().set_attributes(room_name, identity, attributes)

    leaving = Leaving()
    leaving.rooms = rooms.rooms
    answer = app_of(leaving).test_client().post("/rooms/kitchen/release", headers=KEY)

    assert ([], 1) == (answer.get_json()["released"], answer.get_json()["dispatches_deleted"])


def test_one_of_two_humans_is_released(client: FlaskClient, rooms: FakeLiveKit) -> None:
    """The other one keeps their agent."""
    attend(rooms, "kitchen", "bob")

    answer = client.post(
        "/rooms/kitchen/release", headers=KEY, json={"participant_identity": "bob"}
    ).get_json()

    assert [{"participant_identity": "bob", "agent_name": AGENT}] == answer["released"]
    assert (False, True, 0) == (
        is_marked(rooms),
        is_marked(rooms, "bob"),
        answer["dispatches_deleted"],
    )


@pytest.mark.parametrize("body", [{"agent_name": "cook"}, {"participant_identity": "carol"}])
def test_whom_nobody_knows_is_not_released(
    client: FlaskClient, rooms: FakeLiveKit, body: dict[str, str]
) -> None:
    """And the others are left alone."""
    answer = client.post("/rooms/kitchen/release", headers=KEY, json=body)

    assert (200, [], False) == (
        answer.status_code,
        answer.get_json()["released"],
        is_marked(rooms),
    )


@pytest.mark.parametrize(
    ("content", "kind", "refused"),
    [
        pytest.param(b'{"agent": "a"}', "application/json", 400, id="unknown field"),
        pytest.param(b'{"agent_name": 7}', "application/json", 400, id="other type"),
        pytest.param(b"agent_name=a", "application/json", 400, id="no JSON"),
        pytest.param(b"{}", "text/plain", 415, id="not declared"),
        pytest.param(b" " * 70_000, "application/json", 413, id="too large"),
    ],
)
def test_a_broken_body_releases_nobody(
    client: FlaskClient, rooms: FakeLiveKit, content: bytes, kind: str, refused: int
) -> None:
    """LiveKit is not even asked."""
    answer = client.post("/rooms/kitchen/release", headers=KEY, data=content, content_type=kind)

    assert (refused, "invalid_argument") == error_of(answer)[:2]
    assert [] == rooms.calls


@pytest.mark.parametrize("path", ["/rooms/release", "/rooms/release?room_name=a&room_name=kitchen"])
def test_which_room_is_not_guessed(client: FlaskClient, rooms: FakeLiveKit, path: str) -> None:
    """None is not all of them."""
    refused = client.post(path, headers=KEY)

    assert (400, "invalid_argument", []) == (*error_of(refused)[:2], rooms.calls)


NAMES = ["a/b", "/x", "//", "a\nb", "release", "x/release", "release/release", "%2F", "a?b=c"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_queried", [False, True], ids=["path", "query"])
def test_a_room_may_have_any_name(rooms: FakeLiveKit, name: str, *, is_queried: bool) -> None:
    """As with GET, which still shows a room called `release`."""
    attend(rooms, name, "bob")
    client = app_of(rooms).test_client()
    quoted = quote(name, safe="")

    path = release_path(name) if is_queried else f"/rooms/{quoted}/release"
    answer = client.post(path, headers=KEY).get_json()
    shown = client.get(f"/rooms/{quoted}", headers=KEY).get_json()

    assert (name, name, True) == (
        answer["room_name"],
        shown["room_name"],
        is_marked(rooms, "bob", name),
    )


def test_the_room_tells_who_was_released(client: FlaskClient) -> None:
    """Its participants, and its timeline: once, however often it is asked for."""
    before = client.get("/rooms/kitchen", headers=KEY).get_json()
    client.post("/rooms/kitchen/release", headers=KEY)
    client.post("/rooms/kitchen/release", headers=KEY)
    after = client.get("/rooms/kitchen", headers=KEY).get_json()

    assert ([[]], [[AGENT]]) == tuple(
        [each["released_from"] for each in shown["participants"]] for shown in (before, after)
    )
    told = {entry["event"]: entry for entry in after["timeline"]}
    reason = "an operator has taken the call over"
    assert ("alice", AGENT, reason) == tuple(
        told["released"][name] for name in ("participant_identity", "agent_name", "reason")
    )
    assert (reason, 1) == (
        told["dispatch_deleted"]["reason"],
        [entry["event"] for entry in after["timeline"]].count("released"),
    )


@pytest.mark.parametrize("busy", [0, 2, 10_000], ids=["free", "soon free", "never free"])
def test_a_look_at_the_room_is_waited_for_though_not_for_ever(
    rooms: FakeLiveKit, busy: int
) -> None:
    """It might send an agent that it has decided on before the mark; the lock never decides."""
    locks = Locks(busy)

    answer = app_of(rooms, locks).test_client().post("/rooms/kitchen/release", headers=KEY)

    assert (200, busy < 100) == (answer.status_code, locks.held[-1])
    assert is_marked(rooms)
