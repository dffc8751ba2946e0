"""LiveKit lets in whoever has a token of ours, whatever the caller has asked for."""

import asyncio
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import aiohttp
import pytest

from tests.environ import settings
from tests.long_metadata import LONG_METADATA
from tests.processes import API_KEY, API_SECRET, LiveKitServer, wait_until
from token_server.errors import InvalidRequestError
from token_server.livekit.port import AgentOrder
from token_server.livekit.twirp import Twirp
from token_server.livekit.twirp_livekit import TwirpLiveKit
from token_server.tokens.join_tokens import JoinToken, check_length, mint_join_token
from token_server.tokens.tickets import Ticket, TicketSealer
from token_server.tokens.token_request import TokenRequest, parse_json

pytestmark = pytest.mark.live

# Of one to four bytes in UTF-8, of one to twelve in a token's JSON.
CHARACTERS = {
    "NUL": "\0",
    "escape": "\x1b",
    "newline": "\n",
    "delete": "\x7f",
    "quotation mark": '"',
    "C1 control": "\x85",
    "direction mark": "\u202e",
    "no character": "\ufffe",
    "private use": "\ue000",
    "emoji": "🎉",
    "letter": "x",
}

SETTINGS = settings()
LONGEST_NAME = "é" * 128
ONLY_IN_TICKET = {
    "long metadata": AgentOrder(agent_name="tutor", metadata=LONG_METADATA),
    "a deployment": AgentOrder(agent_name="tutor", deployment="canary"),
}


@pytest.fixture(scope="module")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKitServer]:
    """A real one."""
    with LiveKitServer(tmp_path_factory.mktemp("livekit")) as server:
        yield server


def longest(character: str) -> JoinToken:
    """Return what says the longest texts of this character that a caller may send."""
    low, high = 0, 10_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_accepted(character * middle) else (low, middle)
    return token_of(request_of(character * low), LONGEST_NAME)


def is_accepted(text: str) -> bool:
    """Whether /token takes it."""
    try:
        check_length(token_of(request_of(text), LONGEST_NAME), SETTINGS)
    except InvalidRequestError:
        return False
    return True


def request_of(text: str) -> TokenRequest:
    """Read a request with this text wherever one may be long, as /token does."""
    fields = {
        "participant_name": LONGEST_NAME,
        "participant_metadata": text,
        "participant_attributes": {"a": text},
        "room_config": {"agents": [{"metadata": text}]},
    }
    return parse_json(json.dumps(fields).encode())


def token_of(request: TokenRequest, name: str) -> JoinToken:
    """Return what a token for it says, where each name is this one."""
    order = AgentOrder(agent_name=name, metadata=request.agent.metadata)
    ticket = Ticket(name, name, order, "00-" + "0" * 52)
    return JoinToken(ticket, request, TicketSealer(API_SECRET).seal(ticket))


async def join(url: str, join_token: JoinToken) -> int:
    """Join as far as LiveKit's first word; return the HTTP status where it has none."""
    token = mint_join_token(join_token, SETTINGS, datetime.now(UTC))
    try:
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{url}/rtc", params={"access_token": token}) as connection,
        ):
            await connection.receive_bytes(timeout=5)
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


@pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS.keys())
def test_the_longest_texts_that_a_caller_may_send_make_a_token_to_join_with(
    livekit: LiveKitServer, character: str
) -> None:
    """In their URL, as LiveKit's clients do. To a longer one proxies answer 414."""
    assert 101 == asyncio.run(join(livekit.url, longest(character)))


@pytest.mark.parametrize("order", ONLY_IN_TICKET.values(), ids=ONLY_IN_TICKET.keys())
def test_a_token_that_leaves_the_agent_to_the_keeper_makes_a_room_as_without_agents(
    livekit: LiveKitServer, order: AgentOrder
) -> None:
    """Only an unnamed worker is sent there, as to any room (livekit-behaviour 21)."""
    room_name = f"room-{uuid.uuid4()}"
    ticket = Ticket(room_name, "alice", order)
    join_token = JoinToken(ticket, TokenRequest(), TicketSealer(API_SECRET).seal(ticket))

    assert 101 == asyncio.run(join(livekit.url, join_token))

    rooms = TwirpLiveKit(Twirp(livekit.url, API_KEY, API_SECRET))
    wait_until(lambda: rooms.list_rooms([room_name]), within=5, what="the room is there")
    assert [AgentOrder(agent_name="")] == [d.order for d in rooms.list_dispatches(room_name)]
