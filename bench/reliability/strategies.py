"""The ways to bring an agent to a human that are compared, as data and one function each."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from livekit import api

from bench.reliability.table import LIVEKITS_OWN
from bench.servers import (
    StartWeb,
    StartWorker,
    start_naive,
    start_ours,
    start_plain_worker,
)
from tests.processes import AGENT_NAME, API_KEY, API_SECRET

# Mints a token for a room and an identity.
MintToken = Callable[[api.LiveKitAPI, str, str], Awaitable[str]]


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """One way.

    Attributes:
        name: The head of its column.
        start_web: Starts its token server, which gets the webhooks; None: it needs none.
        mint: Does what a token server of this way does, without being one.
        start_worker: Starts one of its workers.
        settings: For the token server.
    """

    name: str
    start_web: StartWeb | None = None
    mint: MintToken | None = None
    start_worker: StartWorker = start_plain_worker
    settings: Mapping[str, str] = field(default_factory=dict)


def mint_token(room_name: str, identity: str, *, has_agent: bool = False) -> str:
    """Sign a token that names the agent, or none."""
    token = api.AccessToken(API_KEY, API_SECRET).with_identity(identity)
    token = token.with_grants(api.VideoGrants(room_join=True, room=room_name))
    if has_agent:
        agent = api.RoomAgentDispatch(agent_name=AGENT_NAME)
        token = token.with_room_config(api.RoomConfiguration(agents=[agent]))
    return token.to_jwt()


async def mint_naming_agent(livekit: api.LiveKitAPI, room_name: str, identity: str) -> str:
    """Mint a token that names the agent, as LiveKit's documentation has it."""
    del livekit
    return mint_token(room_name, identity, has_agent=True)


async def _create_room_then_mint(livekit: api.LiveKitAPI, room_name: str, identity: str) -> str:
    await livekit.room.create_room(api.CreateRoomRequest(name=room_name))
    return mint_token(room_name, identity, has_agent=True)


async def create_room_with_agent(livekit: api.LiveKitAPI, room_name: str) -> None:
    """Make a room with the agent's dispatch."""
    agent = api.RoomAgentDispatch(agent_name=AGENT_NAME)
    await livekit.room.create_room(api.CreateRoomRequest(name=room_name, agents=[agent]))


async def _create_room_with_agent_then_mint(
    livekit: api.LiveKitAPI, room_name: str, identity: str
) -> str:
    await create_room_with_agent(livekit, room_name)
    return mint_token(room_name, identity)


def _ours(dispatch: str) -> Strategy:
    """Return the product's token server with a value of AGENT_DISPATCH."""
    return Strategy(
        name=f"ours, {dispatch}",
        start_web=start_ours,
        settings={"AGENT_DISPATCH": dispatch},
    )


TOKEN_DISPATCH = Strategy(name=LIVEKITS_OWN, mint=mint_naming_agent)
OURS = _ours("join")
STRATEGIES = (
    TOKEN_DISPATCH,
    Strategy(name="createRoom then token", mint=_create_room_then_mint),
    Strategy(name="createRoom(agents)", mint=_create_room_with_agent_then_mint),
    Strategy(name="naive webhook → CreateDispatch", start_web=start_naive),
    OURS,
    _ours("token"),
)
