"""The ticket: what a human's token asked for, sealed into a participant attribute. No I/O.

It travels with the participant, so that any process on any machine can act on any room and
LiveKit is the only store. Clients can neither read nor forge it (Fernet: AES-128-CBC with
HMAC-SHA-256, under a key derived from the API secret), nor move it to another room or
participant (both are inside).
"""

import base64
import json
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from token_server.rooms import AgentOrder, Participant

TICKET_ATTRIBUTE = "token_server.ticket"
_KEY_PURPOSE = b"livekit-token-server ticket v1"


@dataclass(frozen=True)
class Ticket:
    """One human's claim to one agent in one room."""

    room_name: str
    participant_identity: str
    order: AgentOrder


class TicketSealer:
    """Seals and opens tickets with a key that only holders of the API secret can derive."""

    def __init__(self, api_secret: str) -> None:
        hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=_KEY_PURPOSE)
        self._fernet = Fernet(base64.urlsafe_b64encode(hkdf.derive(api_secret.encode())))

    def seal(self, ticket: Ticket) -> str:
        """Return the attribute's text: ASCII, different each time even for the same ticket."""
        fields = (
            ticket.room_name,
            ticket.participant_identity,
            ticket.order.agent_name,
            ticket.order.metadata,
        )
        return self._fernet.encrypt(json.dumps(fields).encode()).decode()

    def open(self, room_name: str, participant: Participant) -> Ticket | None:
        """Return the ticket that this participant holds for this room, None if there is none."""
        unverified_ticket = participant.attributes.get(TICKET_ATTRIBUTE)
        if not unverified_ticket:
            return None
        try:
            fields = json.loads(self._fernet.decrypt(unverified_ticket.encode()))
        except (InvalidToken, ValueError):
            return None
        ticket_room, ticket_identity, agent_name, metadata = fields
        if (ticket_room, ticket_identity) != (room_name, participant.participant_identity):
            return None
        order = AgentOrder(agent_name=agent_name, metadata=metadata)
        return Ticket(ticket_room, ticket_identity, order)
