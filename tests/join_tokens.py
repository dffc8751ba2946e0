"""Reads a join token as LiveKit will, and as the keeper will once its holder is in the room."""

from datetime import timedelta

from livekit.api import TokenVerifier
from livekit.api.access_token import Claims

from tests.fakes import START
from tests.processes import API_KEY, API_SECRET
from token_server.livekit.port import AgentOrder, Participant, ParticipantKind
from token_server.tokens.tickets import TICKET_ATTRIBUTE, TicketSealer


def claims_of(token: str) -> Claims:
    """Verify a token and return what it says; it may be good at the fake LiveKit's time only."""
    return TokenVerifier(API_KEY, API_SECRET, leeway=timedelta(weeks=9999)).verify(token)


def sealed_ticket_of(token: str) -> str:
    """Return the ticket that the token carries, sealed."""
    return (claims_of(token).attributes or {})[TICKET_ATTRIBUTE]


def agents_of(token: str) -> list[AgentOrder]:
    """Return the agents that the token brings along."""
    room_config = claims_of(token).room_config
    agents = room_config.agents if room_config else []
    return [AgentOrder(agent_name=a.agent_name, metadata=a.metadata) for a in agents]


def order_in_ticket_of(token: str) -> AgentOrder | None:
    """Let the token's holder join its room, and return what the ticket there says."""
    claims = claims_of(token)
    human = Participant(
        participant_identity=claims.identity,
        participant_sid="PA_1",
        kind=ParticipantKind.HUMAN,
        joined_at=START,
        attributes=claims.attributes or {},
    )
    room_name = (claims.video and claims.video.room) or ""
    ticket = TicketSealer(API_SECRET).open(room_name, human)
    return ticket.order if ticket else None
