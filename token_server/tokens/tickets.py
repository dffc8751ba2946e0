"""The ticket: what a human's token asked for, sealed into a participant attribute. No I/O.

It travels with the participant, so that any process on any machine can act on any room and
LiveKit is the only store. Clients can neither read nor forge it (AES-256-GCM-SIV, RFC 8452: it
stays safe should a random nonce ever repeat; under a key derived from the API secret), nor move it
to another room or participant (both are inside).
"""

import base64
import json
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared_settings.release_marks import is_released
from token_server.livekit.port import AgentOrder, Participant

TICKET_ATTRIBUTE = "token_server.ticket"
_KEY_PURPOSE = b"livekit-token-server ticket v1"
_NONCE_BYTES = 12
# Room, identity, agent and metadata. Behind them a traceparent, if there is one; and in tickets of
# a later version more, which is passed over: their humans are served by what is known of them.
# Who wants nobody has null for the agent: earlier versions take that for no ticket at all, where
# they would send an agent without a name for "".
_FIELDS = 4


@dataclass(frozen=True)
class Ticket:
    """One human's claim to one agent in one room; where traces are kept, what to go on with.

    `order` is None for a human who wants nobody, whatever ATTEND_ROOMS says of their room.
    """

    room_name: str
    participant_identity: str
    order: AgentOrder | None
    traceparent: str = ""


class TicketSealer:
    """Seals and opens tickets with a key that only holders of the API secret can derive.

    Args:
        api_secret: Seals and opens.
        others: Open too: calls outlast the exchange of a key.
    """

    def __init__(self, api_secret: str, *others: str) -> None:
        self._api_secrets = (api_secret, *others)
        self._ciphers = [_cipher(secret) for secret in self._api_secrets]

    def seal(self, ticket: Ticket) -> str:
        """Return the attribute's text: ASCII, different each time even for the same ticket."""
        order = ticket.order
        fields = [
            ticket.room_name,
            ticket.participant_identity,
            order.agent_name if order else None,
            order.metadata if order else "",
        ]
        if ticket.traceparent:
            fields.append(ticket.traceparent)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._ciphers[0].encrypt(nonce, json.dumps(fields).encode(), None)
        return base64.urlsafe_b64encode(sealed).decode()

    def open(self, room_name: str, participant: Participant) -> Ticket | None:
        """Return the ticket that this participant holds for this room, None if there is none."""
        unverified_ticket = participant.attributes.get(TICKET_ATTRIBUTE)
        if not unverified_ticket:
            return None
        opened = (_open(cipher, unverified_ticket) for cipher in self._ciphers)
        ticket = next((found for found in opened if found), None)
        holder = room_name, participant.participant_identity
        is_theirs = ticket and (ticket.room_name, ticket.participant_identity) == holder
        return ticket if is_theirs else None

    def is_released(self, room_name: str, human: Participant, agent_name: str) -> bool:
        """Whether a human has the mark that this agent is done with them (release_marks.py)."""
        identity, attributes = human.participant_identity, human.attributes
        return is_released(self._api_secrets, room_name, identity, agent_name, attributes)


def _cipher(api_secret: str) -> AESGCMSIV:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=_KEY_PURPOSE)
    return AESGCMSIV(hkdf.derive(api_secret.encode()))


def _open(cipher: AESGCMSIV, unverified_ticket: str) -> Ticket | None:
    """Return whosever ticket it is; None if it was not sealed so with this key."""
    try:
        sealed = base64.urlsafe_b64decode(unverified_ticket.encode())
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        inside = json.loads(cipher.decrypt(nonce, ciphertext, None))
    except (InvalidTag, ValueError):
        return None
    return _to_ticket(inside)


def _to_ticket(inside: object) -> Ticket | None:
    """Return what was sealed; None if it has another shape."""
    if not isinstance(inside, list) or len(inside) < _FIELDS:
        return None
    room_name, participant_identity, agent_name, metadata, *more = inside
    wants_nobody = agent_name is None
    texts = (room_name, participant_identity, "" if wants_nobody else agent_name, metadata)
    if not all(isinstance(text, str) for text in texts):
        return None
    order = None if wants_nobody else AgentOrder(agent_name=agent_name, metadata=metadata)
    traceparent = more[0] if more and isinstance(more[0], str) else ""
    return Ticket(room_name, participant_identity, order, traceparent)
