"""A join: the room, the ticket, the token, and who follows."""

import json
import logging
import secrets
from collections.abc import Sequence

import jwt
import pytest

from tests.environ import settings
from tests.fakes import FakeLiveKit
from tests.join_tokens import agents_of, order_in_ticket_of, sealed_ticket_of
from tests.long_metadata import LONG_METADATA
from tests.processes import AGENT_NAME, API_SECRET
from tests.recording_keeper import RecordingKeeper
from token_server.errors import (
    InvalidRequestError,
    LiveKitUnavailableError,
    PermissionDeniedError,
)
from token_server.livekit.port import AgentOrder, Room, RoomOrder
from token_server.state.timeline import Entry, Event, Timeline
from token_server.tokens.joins import JoinAnswer, Joins
from token_server.tokens.tickets import TicketSealer
from token_server.tokens.token_request import TokenRequest, parse_json

SEALER = TicketSealer(API_SECRET)
DEFAULT = AgentOrder(agent_name=AGENT_NAME)
ALICE = TokenRequest(room_name="kitchen", participant_identity="alice")


class OrderedLiveKit(FakeLiveKit):
    """A LiveKit that remembers how rooms were ordered."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[RoomOrder] = []

    def create_room(self, order: RoomOrder) -> Room:
        self.orders.append(order)
        return super().create_room(order)


class RememberingShelf:
    """Keeps what is noted."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def put(self, entries: Sequence[Entry]) -> bool:
        self.entries += entries
        return True

    def of(self, room_name: str) -> Sequence[Entry]:
        return [entry for entry in self.entries if entry.room_name == room_name]


@pytest.fixture
def rooms() -> OrderedLiveKit:
    """LiveKit."""
    return OrderedLiveKit()


@pytest.fixture
def keeper() -> RecordingKeeper:
    """Who follows."""
    return RecordingKeeper()


def prepare(
    rooms: FakeLiveKit, keeper: RecordingKeeper, request: TokenRequest | None = None, **changes: str
) -> JoinAnswer:
    """Prepare a join with these settings."""
    return Joins(settings(**changes), rooms, SEALER, keeper).prepare(request or ALICE)


def asking(agent: str) -> TokenRequest:
    """Ask for the kitchen with this agent (JSON)."""
    return parse_json(
        f'{{"room_name": "kitchen", "room_config": {{"agents": [{agent}]}}}}'.encode()
    )


def test_the_room_is_ready_before_the_token_is(
    rooms: OrderedLiveKit, keeper: RecordingKeeper
) -> None:
    """With our time-outs: the join itself would make it with LiveKit's."""
    prepare(rooms, keeper, ROOM_EMPTY_TIMEOUT_SECONDS="60", ROOM_DEPARTURE_TIMEOUT_SECONDS="5")

    (order,) = rooms.orders
    assert ("kitchen", 60, 5) == (
        order.room_name,
        order.empty_timeout.total_seconds(),
        order.departure_timeout.total_seconds(),
    )


@pytest.mark.parametrize(
    ("changes", "ordered"),
    [
        pytest.param({}, (), id="join"),
        pytest.param({"AGENT_DISPATCH": "token"}, (DEFAULT,), id="token"),
        pytest.param({"AGENT_DISPATCH": "automatic"}, (AgentOrder(agent_name=""),), id="automatic"),
    ],
)
def test_the_mode_says_whether_the_agent_is_ordered_with_the_room(
    rooms: OrderedLiveKit,
    keeper: RecordingKeeper,
    changes: dict[str, str],
    ordered: tuple[AgentOrder, ...],
) -> None:
    """By default a token that nobody uses costs no job."""
    prepare(rooms, keeper, ALICE, **changes)

    assert [ordered] == [order.agents for order in rooms.orders]


LONG = AgentOrder(agent_name=AGENT_NAME, metadata=LONG_METADATA)


@pytest.mark.parametrize(
    ("dispatch", "ordered"), [("join", ()), ("token", (LONG,))], ids=["join", "token"]
)
def test_long_metadata_is_in_the_ticket_alone(
    rooms: OrderedLiveKit, keeper: RecordingKeeper, dispatch: str, ordered: tuple[AgentOrder, ...]
) -> None:
    """Whoever sends the agent has it: CreateRoom here, or the keeper, who opens the ticket."""
    asked = asking(json.dumps({"metadata": LONG_METADATA}))

    token = prepare(rooms, keeper, asked, AGENT_DISPATCH=dispatch).participant_token

    assert ([ordered], [AgentOrder(agent_name="")], LONG) == (
        [order.agents for order in rooms.orders],
        agents_of(token),
        order_in_ticket_of(token),
    )


@pytest.mark.parametrize("dispatch", ["join", "token"])
def test_options_of_the_dispatch_are_ordered_where_callers_may_choose_them(
    rooms: OrderedLiveKit, keeper: RecordingKeeper, dispatch: str
) -> None:
    """DISPATCH_OPTIONS: a fleet of several versions, and what a job is told besides."""
    asked = asking('{"deployment": "canary", "attributes": {"table": "7"}, "metadata": "m"}')
    order = AgentOrder(
        agent_name=AGENT_NAME, metadata="m", deployment="canary", attributes={"table": "7"}
    )

    changes = {"DISPATCH_OPTIONS": "1", "AGENT_DISPATCH": dispatch}
    token = prepare(rooms, keeper, asked, **changes).participant_token

    ordered = (order,) if dispatch == "token" else ()
    assert ([ordered], order) == (
        [each.agents for each in rooms.orders],
        order_in_ticket_of(token),
    )


@pytest.mark.parametrize("option", ['"deployment": "canary"', '"attributes": {"table": "7"}'])
def test_options_of_the_dispatch_are_the_operators_by_default(
    rooms: OrderedLiveKit, keeper: RecordingKeeper, option: str
) -> None:
    """Before anything is done."""
    rule = "is not a field that a caller may set: DISPATCH_OPTIONS is 0"
    with pytest.raises(InvalidRequestError, match=rf"^room_config\.agents\.0\.\w+ {rule}$"):
        prepare(rooms, keeper, asking(f"{{{option}}}"))

    assert ([], []) == (rooms.calls, keeper.followed)


def test_a_token_that_would_be_too_long_makes_no_room(
    rooms: OrderedLiveKit, keeper: RecordingKeeper
) -> None:
    """Before anything is done, like any other rule."""
    asked = asking(json.dumps({"metadata": secrets.token_hex(4000)}))

    with pytest.raises(InvalidRequestError, match=r"^room_config\.agents\.0\.metadata .* 7000 "):
        prepare(rooms, keeper, asked)

    assert ([], []) == (rooms.calls, keeper.followed)


ORDERS = {
    "nothing": ("", {}, DEFAULT),
    "an empty agent": ("{}", {}, DEFAULT),
    "only metadata": (
        '{"metadata": "be brief"}',
        {},
        AgentOrder(agent_name=AGENT_NAME, metadata="be brief"),
    ),
    "the configured agent": (f'{{"agent_name": "{AGENT_NAME}"}}', {}, DEFAULT),
    "another allowed agent": (
        '{"agent_name": "tutor", "metadata": "m"}',
        {"AGENT_NAMES": "tutor"},
        AgentOrder(agent_name="tutor", metadata="m"),
    ),
    "metadata for an unnamed agent": (
        '{"metadata": "m"}',
        {"AGENT_DISPATCH": "automatic"},
        AgentOrder(agent_name="", metadata="m"),
    ),
}


@pytest.mark.parametrize(("agent", "changes", "order"), ORDERS.values(), ids=ORDERS.keys())
def test_token_and_ticket_name_the_same_agent(
    keeper: RecordingKeeper, agent: str, changes: dict[str, str], order: AgentOrder
) -> None:
    """Whichever brings it; a nameless entry brings a nameless agent (livekit-behaviour 12)."""
    join = prepare(FakeLiveKit(), keeper, asking(agent), **changes)

    assert ([order], order) == (
        agents_of(join.participant_token),
        order_in_ticket_of(join.participant_token),
    )


@pytest.mark.parametrize(
    "changes", [{}, {"AGENT_NAMES": "cook"}, {"AGENT_DISPATCH": "automatic"}], ids=str
)
def test_an_agent_that_is_not_allowed_is_refused(
    rooms: OrderedLiveKit, keeper: RecordingKeeper, changes: dict[str, str]
) -> None:
    """Before anything is done: jobs cost money, and agents may be for staff only."""
    with pytest.raises(PermissionDeniedError, match=r"^room_config\.agents\.0\.agent_name "):
        prepare(rooms, keeper, asking('{"agent_name": "tutor"}'), **changes)

    assert ([], []) == (rooms.calls, keeper.followed)


def test_the_room_is_followed_with_the_ticket_in_the_token(keeper: RecordingKeeper) -> None:
    """For as long as the token can be used to join."""
    join = prepare(FakeLiveKit(), keeper, TOKEN_TTL_SECONDS="90")

    sealed_ticket = sealed_ticket_of(join.participant_token)
    assert [("kitchen", sealed_ticket, 90.0, True)] == keeper.followed


AGENTLESS = ALICE.model_copy(update={"agentless": True})


@pytest.mark.parametrize("dispatch", ["join", "token"])
def test_nobody_is_sent_for_who_asks_for_no_agent(
    rooms: OrderedLiveKit, keeper: RecordingKeeper, dispatch: str
) -> None:
    """Not with the room, not by the token, not by a look; the token still counts."""
    changes = {"AGENTLESS_TOKENS": "1", "AGENT_DISPATCH": dispatch}

    token = prepare(rooms, keeper, AGENTLESS, **changes).participant_token

    assert ([()], []) == ([order.agents for order in rooms.orders], agents_of(token))
    assert ([], 1) == (keeper.followed, keeper.issued)
    assert (True, None) == (bool(sealed_ticket_of(token)), order_in_ticket_of(token))


def test_an_agent_comes_by_default_where_others_may_do_without(keeper: RecordingKeeper) -> None:
    """AGENTLESS_TOKENS changes nothing for whoever does not ask."""
    join = prepare(FakeLiveKit(), keeper, AGENTLESS_TOKENS="1")

    assert ([DEFAULT], 1, 0) == (
        agents_of(join.participant_token),
        len(keeper.followed),
        keeper.issued,
    )


def test_who_may_not_do_without_an_agent_is_refused(
    rooms: OrderedLiveKit, keeper: RecordingKeeper
) -> None:
    """Before anything is done: a human who is not attended is the operator's choice."""
    with pytest.raises(PermissionDeniedError, match=r"^agentless .* AGENTLESS_TOKENS is 0$"):
        prepare(rooms, keeper, AGENTLESS)

    assert ([], 0) == (rooms.calls, keeper.issued)


def test_a_live_room_is_known_as_such(rooms: OrderedLiveKit, keeper: RecordingKeeper) -> None:
    """It brings no room_started webhook, which following waits for (livekit-behaviour 53)."""
    for _ in range(2):
        prepare(rooms, keeper)
        rooms.pass_time(seconds=1)

    assert [True, False] == [is_new for _, _, _, is_new in keeper.followed]


def test_a_token_is_of_livekits_time(rooms: OrderedLiveKit, keeper: RecordingKeeper) -> None:
    """LiveKit is who checks it; our own clock may be off by hours."""
    join = prepare(rooms, keeper, TOKEN_TTL_SECONDS="90")

    said = jwt.decode(join.participant_token, options={"verify_signature": False})
    now = int(rooms.now().timestamp())
    assert (now, now + 90) == (said["nbf"], said["exp"])


def test_without_livekit_there_is_no_token(rooms: OrderedLiveKit, keeper: RecordingKeeper) -> None:
    """It would lead to a room without an agent, or to none."""
    rooms.is_down = True

    with pytest.raises(LiveKitUnavailableError):
        prepare(rooms, keeper)

    assert [] == keeper.followed


def test_room_ready_is_logged(keeper: RecordingKeeper, caplog: pytest.LogCaptureFixture) -> None:
    """The line that operators look for; metadata and tokens stay out of it."""
    caplog.set_level(logging.INFO)

    join = prepare(FakeLiveKit(), keeper, asking('{"metadata": "MaRkEr"}'))

    (record,) = caplog.records
    found = vars(record)
    assert ("Room ready", "kitchen", "RM_1", "created", join.participant_identity, AGENT_NAME) == (
        record.getMessage(),
        *(found[name] for name in ("room", "sid", "outcome", "identity", "agent")),
    )
    assert ("MaRkEr" in str(found), join.participant_token in str(found)) == (False, False)


def test_that_nobody_was_asked_for_is_told(
    keeper: RecordingKeeper, caplog: pytest.LogCaptureFixture
) -> None:
    """In the line, and in the room's timeline: else it would look like an agent without a name."""
    caplog.set_level(logging.INFO)
    livekit, shelf = FakeLiveKit(), RememberingShelf()
    timeline = Timeline(livekit.now, "web:1", shelf)
    joins = Joins(settings(AGENTLESS_TOKENS="1"), livekit, SEALER, keeper, timeline)

    joins.prepare(AGENTLESS)
    timeline.flush()

    assert None is vars(caplog.records[0])["agent"]
    assert [{"participant_identity": "alice", "outcome": "without an agent"}] == [
        entry.facts for entry in shelf.entries if entry.event is Event.TOKEN_ISSUED
    ]
