"""The token a participant joins with. No I/O.

Written with PyJWT, in a quarter of the time that livekit-api's AccessToken takes for its deep
copies, and without the import of aiohttp; a test holds the two against each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared_settings.settings import AgentDispatch
from token_server.errors import InvalidRequestError
from token_server.livekit.port import AgentOrder
from token_server.livekit.signatures import sign_payload, signed_length
from token_server.settings import Settings
from token_server.tokens.field_rules import TOKEN_LIMIT
from token_server.tokens.packing import short_json
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, is_short, sealed_metadata
from token_server.tokens.token_request import TokenRequest

# The least that a call needs. canUpdateOwnMetadata is said, not left out: a client that could
# change its attributes could drop its ticket.
_GRANTS = {
    "roomJoin": True,
    "canPublish": True,
    "canSubscribe": True,
    "canPublishData": True,
    "canUpdateOwnMetadata": False,
}
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class JoinToken:
    """What a join token says. `sealed_ticket`, the ticket sealed, becomes an attribute."""

    ticket: Ticket
    request: TokenRequest = field(repr=False)
    sealed_ticket: str = field(repr=False)


def check_length(join_token: JoinToken, settings: Settings) -> None:
    """Refuse what would make a token that does not get through to LiveKit.

    Raises:
        InvalidRequestError: Names the field that takes most of it, and the limit.
    """
    claims = _claims(join_token, settings, _ANY_TIME)
    length = signed_length(short_json(claims))
    if length > TOKEN_LIMIT:
        raise InvalidRequestError(
            f"{_longest_field(join_token, claims)} is too long: the token, which is sent in a URL,"
            f" would have {length} bytes, and at most {TOKEN_LIMIT} get through"
        )


def mint_join_token(join_token: JoinToken, settings: Settings, now: datetime) -> str:
    """Sign a JWT that lets one participant join one room and brings its agent along.

    Args:
        join_token: What it says.
        settings: The API key that it is signed with, and how long it is good.
        now: LiveKit's time: LiveKit is who checks it.

    Returns:
        A signed JWT (HS256); claims: iss, sub, nbf, exp (Unix seconds), name, metadata,
        attributes, video {roomJoin, room, canPublish, canSubscribe, canPublishData},
        roomConfig {agents}, unless nobody is wanted.

    Source:
        https://docs.livekit.io/home/get-started/authentication/
    """
    claims = _claims(join_token, settings, now)
    return sign_payload(short_json(claims), settings.livekit_api_secret)


def _claims(join_token: JoinToken, settings: Settings, now: datetime) -> dict[str, Any]:
    ticket, request = join_token.ticket, join_token.request
    claims: dict[str, Any] = {
        "iss": settings.livekit_api_key,
        "sub": ticket.participant_identity,
        "nbf": int(now.timestamp()),
        "exp": int((now + settings.token_ttl).timestamp()),
        "name": request.participant_name,
        "metadata": request.participant_metadata,
        "attributes": request.participant_attributes | {TICKET_ATTRIBUTE: join_token.sealed_ticket},
        "video": {"room": ticket.room_name, **_GRANTS},
    }
    if order := ticket.order:
        claims["roomConfig"] = {"agents": [_dispatch(order, settings.agent_dispatch)]}
    return claims


def _dispatch(order: AgentOrder, agent_dispatch: AgentDispatch) -> dict[str, str]:
    """Write the dispatch in the token, which works only where the join makes the room.

    LiveKit ignores it when the room is live (livekit#4390; livekit-behaviour 11): there the keeper
    dispatches. There is one in each token all the same, since LiveKit's components wait for an
    agent only then (livekit-behaviour 62). It says nothing but name and metadata: a server refuses
    a token whose roomConfig has a field that it does not know (livekit-behaviour 13).

    What does not fit in there is in the ticket alone. Then the dispatch says nothing at all, which
    is the one that LiveKit makes by itself in a room without agents (livekit-behaviour 21), and the
    keeper sends the agent with all that it is to be told. Not so where LiveKit sends it by itself.
    """
    is_all = is_short(order.metadata) and not (order.deployment or order.attributes)
    if is_all or agent_dispatch is AgentDispatch.AUTOMATIC:
        return {"agentName": order.agent_name, "metadata": order.metadata}
    return {}


def _longest_field(join_token: JoinToken, claims: Mapping[str, Any]) -> str:
    """Return the field of a request that takes most of the token, as it is written there."""
    request, order = join_token.request, join_token.ticket.order or AgentOrder(agent_name="")
    # What is sealed is in base64, and then again.
    packed = len(sealed_metadata(join_token.sealed_ticket))
    sealed = packed or len(short_json(order.metadata)) * 4 // 3
    lengths = {
        "room_config.agents.0.metadata": sealed + len(short_json(claims.get("roomConfig"))),
        "room_config.agents.0.attributes": len(short_json(dict(order.attributes))) * 4 // 3,
        "participant_metadata": len(short_json(request.participant_metadata)),
        "participant_attributes": len(short_json(request.participant_attributes)),
    }
    return max(lengths, key=lengths.__getitem__)
