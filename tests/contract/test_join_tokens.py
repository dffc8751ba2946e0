"""LiveKit lets in whoever has a token of ours, whatever the caller has asked for."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import aiohttp
import pytest

from tests.environ import settings
from tests.processes import API_SECRET, LiveKitServer
from token_server.errors import InvalidRequestError
from token_server.livekit.port import AgentOrder
from token_server.tokens.join_tokens import JoinToken, mint_join_token
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


@pytest.fixture(scope="module")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKitServer]:
    """A real one."""
    with LiveKitServer(tmp_path_factory.mktemp("livekit")) as server:
        yield server


def longest(field: str, character: str) -> str:
    """Return the longest text of this character that a caller may send."""
    low, high = 0, 10_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_accepted(field, character * middle) else (low, middle)
    return character * low


def is_accepted(field: str, text: str) -> bool:
    """Whether /token takes this field."""
    try:
        request_of(**{field: text})
    except InvalidRequestError:
        return False
    return True


def request_of(**texts: str) -> TokenRequest:
    """Read a request with these texts in it, as /token does."""
    fields: dict[str, object] = {}
    for field, text in texts.items():
        if field == "metadata of the job":
            fields["room_config"] = {"agents": [{"metadata": text}]}
        else:
            fields[field] = {"a": text} if field == "participant_attributes" else text
    return parse_json(json.dumps(fields).encode())


def token_of(request: TokenRequest) -> str:
    """Sign a token for it, with the longest names that there are."""
    longest_name = "é" * 128
    order = AgentOrder(agent_name=longest_name, metadata=request.agent.metadata)
    ticket = Ticket(longest_name, longest_name, order, "00-" + "0" * 52)
    named = request.model_copy(update={"participant_name": longest_name})
    join_token = JoinToken(ticket, named, TicketSealer(API_SECRET).seal(ticket))
    return mint_join_token(join_token, settings(), datetime.now(UTC))


async def join(url: str, token: str) -> int:
    """Join as far as LiveKit's first word; return the HTTP status where it has none."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{url}/rtc", headers=headers) as connection,
        ):
            await connection.receive_bytes(timeout=5)
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


@pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS.keys())
def test_the_longest_texts_that_a_caller_may_send_make_a_token_to_join_with(
    livekit: LiveKitServer, character: str
) -> None:
    """LiveKit answers 500 to what is longer (livekit-behaviour 15), so /token has to refuse it."""
    fields = ("metadata of the job", "participant_metadata", "participant_attributes")
    request = request_of(**{field: longest(field, character) for field in fields})

    assert 101 == asyncio.run(join(livekit.url, token_of(request)))
