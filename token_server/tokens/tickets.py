"""The ticket: what a human's token asked for, sealed into a participant attribute. No I/O.

It travels with the participant, so that any process on any machine can act on any room and
LiveKit is the only store. Clients can neither read nor forge it (AES-256-GCM-SIV, RFC 8452: it
stays safe should a random nonce ever repeat; under a key derived from the API secret), nor move it
to another room or participant (both are inside).

It is one text, or two with a dot between them. The first is JSON in base64. The second is there
where the metadata is long: that alone, packed (packing.py) and in base85, since each of its bytes
counts in a token, which is a part of URLs. It is sealed with the first one's nonce, and to it: it
opens beside no other.
"""

import base64
import json
import secrets
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared_settings import release_marks
from token_server.livekit.port import AgentOrder, Participant
from token_server.tokens.packing import pack, short_json, unpack

TICKET_ATTRIBUTE = "token_server.ticket"
_KEY_PURPOSE = b"livekit-token-server ticket v1"
_NONCE_BYTES = 12
# What a ticket has at least: room, identity, agent and metadata. In tickets of a later version
# there is more than we know, which is passed over: their humans are served by what is known of
# them. So do earlier versions with what is behind the metadata. Who wants nobody has null for the
# agent: earlier versions take that for no ticket at all, where they would send an agent without a
# name for "".
_FIELDS = 4
# Behind them: a traceparent, if only an empty one, and an object that has what there is of these.
_DEPLOYMENT, _ATTRIBUTES, _HAS_SECOND = "deployment", "attributes", "second"
# Bytes of metadata, as JSON. So much is in the first text, which every version knows; and in the
# token's own dispatch (join_tokens.py).
_SHORT_METADATA = 512
# Neither base64 nor base85 has one.
_BETWEEN = "."
_NOBODY = AgentOrder(agent_name="")
Kind = TypeVar("Kind", str, dict[str, str])


@dataclass(frozen=True)
class Ticket:
    """One human's claim to one agent in one room; where traces are kept, what to go on with.

    `order` is None for a human who wants nobody, whatever ATTEND_ROOMS says of their room.
    """

    room_name: str
    participant_identity: str
    order: AgentOrder | None
    traceparent: str = ""


def is_short(metadata: str) -> bool:
    """Whether metadata is so short that the ticket has it as it is."""
    return len(metadata) <= _SHORT_METADATA and len(short_json(metadata)) <= _SHORT_METADATA


def sealed_metadata(sealed_ticket: str) -> str:
    """Return the part of a ticket that is long metadata alone; "" where it is short."""
    return sealed_ticket.partition(_BETWEEN)[2]


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
        order = ticket.order or _NOBODY
        is_long = not is_short(order.metadata)
        fields: list[Any] = [
            ticket.room_name,
            ticket.participant_identity,
            order.agent_name if ticket.order else None,
            "" if is_long else order.metadata,
        ]
        if ticket.traceparent:
            fields.append(ticket.traceparent)
        if more := _more(order, is_long=is_long):
            fields[_FIELDS:] = [ticket.traceparent, more]
        nonce, cipher = secrets.token_bytes(_NONCE_BYTES), self._ciphers[0]
        first = nonce + cipher.encrypt(
            nonce, _padded(fields) if is_long else short_json(fields), None
        )
        texts = [base64.urlsafe_b64encode(first)]
        if is_long:
            second = cipher.encrypt(nonce, pack(order.metadata.encode()), first)
            texts.append(base64.b85encode(second))
        return _BETWEEN.join(text.decode() for text in texts)

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
        about = room_name, human.participant_identity, agent_name
        return release_marks.is_released(self._api_secrets, *about, human.attributes)

    def released_from(self, room_name: str, human: Participant) -> list[str]:
        """Name the agents that are done with a human."""
        about = room_name, human.participant_identity, human.attributes
        return release_marks.released_from(self._api_secrets, *about)

    def to_release(self, room_name: str, human: Participant, agent_name: str) -> dict[str, str]:
        """Return the attributes that release a human from an agent; none where they are there."""
        if self.is_released(room_name, human, agent_name):
            return {}
        about = room_name, human.participant_identity, agent_name
        mark = release_marks.release_mark(self._api_secrets[0], *about)
        return {release_marks.release_attribute(agent_name): mark}


def _cipher(api_secret: str) -> AESGCMSIV:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=_KEY_PURPOSE)
    return AESGCMSIV(hkdf.derive(api_secret.encode()))


def _more(order: AgentOrder, *, is_long: bool) -> dict[str, object]:
    """Return what else there is of an order, and whether a second text follows."""
    more = {
        _DEPLOYMENT: order.deployment,
        _ATTRIBUTES: dict(order.attributes),
        _HAS_SECOND: is_long,
    }
    return {name: value for name, value in more.items() if value}


def _padded(fields: list[Any]) -> bytes:
    """Write them so that they end in base64's padding, once they are sealed.

    Earlier versions read up to there: they serve this human by what is in the first text.
    """
    text = short_json(fields)
    ends_without = 2  # nonce and tag have 28 bytes
    return text + b" " * (len(text) % 3 == ends_without)


def _open(cipher: AESGCMSIV, unverified_ticket: str) -> Ticket | None:
    """Return whosever ticket it is; None if it was not sealed so with this key."""
    unverified_first, _, unverified_rest = unverified_ticket.partition(_BETWEEN)
    try:
        first = base64.urlsafe_b64decode(unverified_first.encode())
        nonce, sealed = first[:_NONCE_BYTES], first[_NONCE_BYTES:]
        ticket, has_second = _to_ticket(json.loads(cipher.decrypt(nonce, sealed, None)))
        if not (ticket and ticket.order and has_second):
            return ticket
        second = base64.b85decode(unverified_rest.partition(_BETWEEN)[0])
        metadata = unpack(cipher.decrypt(nonce, second, first)).decode()
    except (InvalidTag, ValueError):
        return None
    return replace(ticket, order=replace(ticket.order, metadata=metadata))


def _to_ticket(inside: object) -> tuple[Ticket | None, bool]:
    """Return what was sealed in the first text, and whether there is a second one.

    None if it has another shape.
    """
    if not isinstance(inside, list) or len(inside) < _FIELDS:
        return None, False
    room_name, participant_identity, agent_name, metadata, *behind = inside
    wants_nobody = agent_name is None
    texts = (room_name, participant_identity, "" if wants_nobody else agent_name, metadata)
    if not all(isinstance(text, str) for text in texts):
        return None, False
    traceparent = behind[0] if behind and isinstance(behind[0], str) else ""
    more = behind[1] if behind[1:] and isinstance(behind[1], dict) else {}
    order = None if wants_nobody else _to_order(agent_name, metadata, more)
    ticket = Ticket(room_name, participant_identity, order, traceparent)
    return ticket, bool(more.get(_HAS_SECOND))


def _to_order(agent_name: str, metadata: str, more: dict[str, Any]) -> AgentOrder:
    return AgentOrder(
        agent_name=agent_name,
        metadata=metadata,
        deployment=_found(more, _DEPLOYMENT, str),
        attributes=_found(more, _ATTRIBUTES, dict),
    )


def _found(more: dict[str, Any], name: str, kind: type[Kind]) -> Kind:
    """Return what has this name, if it is of this kind; else an empty one."""
    found = more.get(name)
    return found if isinstance(found, kind) else kind()
