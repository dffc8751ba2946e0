"""The token a participant joins with. No I/O.

Written with PyJWT, in a quarter of the time that livekit-api's AccessToken takes for its deep
copies, and without the import of aiohttp; a test holds the two against each other.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from token_server.livekit.rooms import AgentOrder
from token_server.livekit.signatures import sign
from token_server.tokens.tickets import TICKET_ATTRIBUTE

# The least that a call needs. canUpdateOwnMetadata is said, not left out: a client that could
# change its attributes could drop its ticket.
_GRANTS = {
    "roomJoin": True,
    "canPublish": True,
    "canSubscribe": True,
    "canPublishData": True,
    "canUpdateOwnMetadata": False,
}


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """The API key (the token's issuer), its secret, and how long what it signs is good."""

    api_key: str
    api_secret: str = field(repr=False)
    token_ttl: timedelta


@dataclass(frozen=True, kw_only=True)
class JoinToken:
    """What a join token says. `sealed_ticket` becomes a participant attribute."""

    room_name: str
    participant_identity: str
    participant_name: str
    participant_metadata: str = field(repr=False)
    participant_attributes: dict[str, str] = field(repr=False)
    order: AgentOrder
    sealed_ticket: str = field(repr=False)


def mint_join_token(join_token: JoinToken, key: SigningKey, now: datetime) -> str:
    """Sign a JWT that lets one participant join one room and brings its agent along.

    The dispatch in the token works only where the join makes the room: LiveKit ignores it when
    the room is live (livekit#4390; livekit-behaviour 11). There the keeper dispatches. It is in
    the token all the same, since LiveKit's components wait for an agent only if the token names
    one (livekit-behaviour 62). It says nothing of `restartPolicy`: servers before 1.10.1 refuse a
    token whose roomConfig has a field that they do not know (livekit-behaviour 13).

    Args:
        join_token: What it says.
        key: What it is signed with, and how long it is good.
        now: LiveKit's time: LiveKit is who checks it.

    Returns:
        A signed JWT (HS256); claims: iss, sub, nbf, exp (Unix seconds), name, metadata,
        attributes, video {roomJoin, room, canPublish, canSubscribe, canPublishData},
        roomConfig {agents}.

    Source:
        https://docs.livekit.io/home/get-started/authentication/
    """
    agent = {"agentName": join_token.order.agent_name, "metadata": join_token.order.metadata}
    claims = {
        "iss": key.api_key,
        "sub": join_token.participant_identity,
        "nbf": int(now.timestamp()),
        "exp": int((now + key.token_ttl).timestamp()),
        "name": join_token.participant_name,
        "metadata": join_token.participant_metadata,
        "attributes": {
            **join_token.participant_attributes,
            TICKET_ATTRIBUTE: join_token.sealed_ticket,
        },
        "video": {"room": join_token.room_name, **_GRANTS},
        "roomConfig": {"agents": [agent]},
    }
    return sign(claims, key.api_secret)
