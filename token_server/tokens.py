"""The token a participant joins with. No I/O."""

from dataclasses import dataclass, field
from datetime import timedelta

from livekit.api import AccessToken, VideoGrants
from livekit.protocol.room import RoomConfiguration

from token_server.messages import to_room_dispatch
from token_server.rooms import AgentOrder
from token_server.ticket import TICKET_ATTRIBUTE


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


def mint_join_token(join_token: JoinToken, key: SigningKey) -> str:
    """Sign a JWT that lets one participant join one room and brings its agent along.

    The dispatch in the token works only where the join makes the room: LiveKit ignores it when
    the room is live (livekit#4390; facts, 1). There the keeper dispatches. It is in the token all
    the same, since LiveKit's components wait for an agent only if the token names one.

    Returns:
        A signed JWT (HS256); claims: iss, sub, nbf, exp (Unix seconds), name, metadata,
        attributes, video {roomJoin, room, canPublish, canSubscribe, canPublishData},
        roomConfig {agents}.

    Source:
        https://docs.livekit.io/home/get-started/authentication/
    """
    grants = VideoGrants(
        room_join=True,
        room=join_token.room_name,
        can_publish=True,
        can_subscribe=True,
        can_publish_data=True,
        # Said, not left out: a client that could change its attributes could drop its ticket.
        can_update_own_metadata=False,
    )
    return (
        AccessToken(key.api_key, key.api_secret)
        .with_identity(join_token.participant_identity)
        .with_name(join_token.participant_name)
        .with_metadata(join_token.participant_metadata)
        .with_attributes(
            join_token.participant_attributes | {TICKET_ATTRIBUTE: join_token.sealed_ticket}
        )
        .with_grants(grants)
        .with_ttl(key.token_ttl)
        .with_room_config(RoomConfiguration(agents=[to_room_dispatch(join_token.order)]))
        .to_jwt()
    )
