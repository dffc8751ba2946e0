"""What a join token says, as livekit-api reads it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from livekit.api import AccessToken, TokenVerifier, VideoGrants
from livekit.api.access_token import Claims
from livekit.protocol.agent_dispatch import RoomAgentDispatch
from livekit.protocol.room import RoomConfiguration

from tests.environ import settings
from tests.long_metadata import LONG_METADATA
from tests.processes import API_KEY, API_SECRET
from token_server.errors import InvalidRequestError
from token_server.livekit.port import AgentOrder
from token_server.tokens.join_tokens import JoinToken, check_length, mint_join_token
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer
from token_server.tokens.token_request import TokenRequest

SETTINGS = settings()
REQUEST = TokenRequest(
    participant_name="Alice 🍳",
    participant_metadata="likes eggs",
    participant_attributes={"table": "7"},
)
JOIN_TOKEN = JoinToken(
    Ticket("kitchen", "alice", AgentOrder(agent_name="tutor", metadata="be brief")),
    REQUEST,
    sealed_ticket="sealed",
)


def minted(join_token: JoinToken = JOIN_TOKEN) -> str:
    """Return a token that is good now: a test may run long after it was collected."""
    return mint_join_token(join_token, SETTINGS, datetime.now(UTC))


@pytest.fixture
def claims() -> Claims:
    """What LiveKit reads in the token."""
    return TokenVerifier(API_KEY, API_SECRET).verify(minted())


def test_a_token_says_who_joins(claims: Claims) -> None:
    """Everybody in the room sees this."""
    assert ("alice", "Alice 🍳", "likes eggs", {"table": "7", TICKET_ATTRIBUTE: "sealed"}) == (
        claims.identity,
        claims.name,
        claims.metadata,
        claims.attributes,
    )


def test_a_token_grants_the_least(claims: Claims) -> None:
    """This one room, to talk and listen: no admin, no lists, no hiding, no new attributes."""
    assert (
        VideoGrants(
            room_join=True,
            room="kitchen",
            can_publish=True,
            can_subscribe=True,
            can_publish_data=True,
            can_update_own_metadata=False,
        )
        == claims.video
    )


def test_a_token_is_what_livekits_own_library_would_sign() -> None:
    """We write the claims ourselves, for speed: the words must stay LiveKit's."""
    dispatch = RoomAgentDispatch(agent_name="tutor", metadata="be brief")
    theirs = (
        AccessToken(API_KEY, API_SECRET)
        .with_identity("alice")
        .with_name("Alice 🍳")
        .with_metadata("likes eggs")
        .with_attributes({"table": "7", TICKET_ATTRIBUTE: "sealed"})
        .with_grants(VideoGrants(room_join=True, room="kitchen", can_update_own_metadata=False))
        .with_room_config(RoomConfiguration(agents=[dispatch]))
        .to_jwt()
    )

    assert claims_of(theirs) == claims_of(minted())


def claims_of(token: str) -> dict[str, object]:
    """Decode a token, without the times."""
    claims = jwt.decode(token, API_SECRET, algorithms=["HS256"])
    return {name: claim for name, claim in claims.items() if name not in {"nbf", "exp"}}


def test_a_token_grants_nothing_beside_the_room() -> None:
    """No SIP, no inference, no kind of its own."""
    payload = jwt.decode(minted(), API_SECRET, algorithms=["HS256"])

    assert {
        *("iss", "sub", "nbf", "exp"),
        *("name", "metadata", "attributes", "video", "roomConfig"),
    } == payload.keys()


def test_a_token_brings_its_agent(claims: Claims) -> None:
    """Where the join makes the room, LiveKit reads it here; its components always do."""
    assert claims.room_config
    (agent,) = claims.room_config.agents

    assert ("tutor", "be brief") == (agent.agent_name, agent.metadata)


def test_a_token_has_no_field_that_an_older_server_does_not_know() -> None:
    """1.9.11 to 1.10.0 refuse a token with `restartPolicy` in it (livekit-behaviour 13)."""
    payload = jwt.decode(minted(), API_SECRET, algorithms=["HS256"])

    assert {"agents": [{"agentName": "tutor", "metadata": "be brief"}]} == payload["roomConfig"]


ONLY_IN_TICKET = {
    "long metadata": {"metadata": LONG_METADATA},
    "a deployment": {"deployment": "canary"},
    "attributes": {"attributes": {"table": "7"}},
}


def asking_for(**order: Any) -> JoinToken:  # noqa: ANN401
    """Return a join token whose ticket says this of the agent."""
    ticket = Ticket("kitchen", "alice", AgentOrder(agent_name="tutor", **order))
    return JoinToken(ticket, REQUEST, TicketSealer(API_SECRET).seal(ticket))


@pytest.mark.parametrize("order", ONLY_IN_TICKET.values(), ids=ONLY_IN_TICKET.keys())
def test_what_has_no_place_in_a_dispatch_of_the_token_leaves_it_empty(
    order: dict[str, Any],
) -> None:
    """An agent that is sent by half of it would not know the rest; components count entries."""
    assert {"agents": [{}]} == claims_of(minted(asking_for(**order)))["roomConfig"]


def test_where_livekit_sends_the_agent_by_itself_the_token_has_its_metadata() -> None:
    """In a room that the join makes, nobody else could tell it."""
    automatic = settings(AGENT_DISPATCH="automatic")
    long = LONG_METADATA[:2500]

    token = mint_join_token(asking_for(metadata=long), automatic, datetime.now(UTC))

    agent = {"agentName": "tutor", "metadata": long}
    assert {"agents": [agent]} == claims_of(token)["roomConfig"]


@pytest.mark.parametrize("metadata", ["", "be brief", LONG_METADATA], ids=["none", "short", "long"])
def test_a_token_is_checked_to_the_byte(metadata: str) -> None:
    """The limit holds for what is signed, in any language."""
    token, length = asking_for(metadata=metadata), len(minted(asking_for(metadata=metadata)))
    # As bytes of base64.
    room = (7000 - length) * 3 // 4
    fits, does_not = (
        replace(token, request=REQUEST.model_copy(update={"participant_metadata": text}))
        for text in ("likes eggs" + "x" * room, "likes eggs" + "x" * (room + 1))
    )

    check_length(fits, SETTINGS)
    with pytest.raises(InvalidRequestError, match=r"^\S+ is too long: .* 7001 bytes.* 7000 "):
        check_length(does_not, SETTINGS)
    assert [True, False] == [len(minted(each)) <= 7000 for each in (fits, does_not)]


def test_a_token_of_who_wants_nobody_configures_no_room() -> None:
    """An entry without a name would bring an agent without one (livekit-behaviour 12)."""
    nobody = replace(JOIN_TOKEN, ticket=replace(JOIN_TOKEN.ticket, order=None))
    others = {name: claim for name, claim in claims_of(minted()).items() if name != "roomConfig"}

    assert others == claims_of(minted(nobody))


def test_a_token_configures_nothing_else_of_the_room(claims: Claims) -> None:
    """Egress and metadata would be the operator's cost."""
    assert claims.room_config
    assert ["agents"] == [field.name for field, _ in claims.room_config.ListFields()]


def test_a_token_lives_as_long_as_the_settings_say() -> None:
    """Seconds from the time that LiveKit has; the SDK's own default would be six hours."""
    hour_off = datetime.now(UTC) + timedelta(hours=1)
    token = mint_join_token(JOIN_TOKEN, settings(TOKEN_TTL_SECONDS="90"), hour_off)

    payload = jwt.decode(token, options={"verify_signature": False})
    assert [0, 90] == [payload[name] - int(hour_off.timestamp()) for name in ("nbf", "exp")]


def test_the_ticket_wins_over_an_attribute_of_its_name() -> None:
    """Refused at the door already (token_request.py); here it could not do harm either."""
    forged = REQUEST.model_copy(update={"participant_attributes": {TICKET_ATTRIBUTE: "forged"}})
    greedy = replace(JOIN_TOKEN, request=forged)

    claims = TokenVerifier(API_KEY, API_SECRET).verify(minted(greedy))

    assert {TICKET_ATTRIBUTE: "sealed"} == claims.attributes


def test_secrets_do_not_show() -> None:
    """Both end up in tracebacks."""
    shown = repr(SETTINGS) + repr(JOIN_TOKEN)

    assert [] == [
        word for word in (API_SECRET, "sealed", "likes eggs", "be brief") if word in shown
    ]
