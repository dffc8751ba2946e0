"""The token a participant joins with. No I/O.

Written with PyJWT, in a quarter of the time that livekit-api's AccessToken takes for its deep
copies, and without the import of aiohttp; a test holds the two against each other.
"""

from dataclasses import dataclass, field
from datetime import datetime

from token_server.livekit.signatures import sign
from token_server.settings import Settings
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket
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


@dataclass(frozen=True)
class JoinToken:
    """What a join token says. `sealed_ticket`, the ticket sealed, becomes an attribute."""

    ticket: Ticket
    request: TokenRequest = field(repr=False)
    sealed_ticket: str = field(repr=False)


def mint_join_token(join_token: JoinToken, settings: Settings, now: datetime) -> str:
    """Sign a JWT that lets one participant join one room and brings its agent along.

    The dispatch in the token works only where the join makes the room: LiveKit ignores it when
    the room is live (livekit#4390; livekit-behaviour 11). There the keeper dispatches. It is in
    the token all the same, since LiveKit's components wait for an agent only if the token names
    one (livekit-behaviour 62). Whoever wants nobody has no roomConfig. It says nothing of
    `restartPolicy`: servers before 1.10.1 refuse a token whose roomConfig has a field that they do
    not know (livekit-behaviour 13).

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
    ticket, request = join_token.ticket, join_token.request
    claims = {
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
        agent = {"agentName": order.agent_name, "metadata": order.metadata}
        claims["roomConfig"] = {"agents": [agent]}
    return sign(claims, settings.livekit_api_secret)
