"""Tickets: who can read, forge or move one (nobody)."""

import base64
import json
from dataclasses import replace

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.fakes import START
from tests.processes import API_SECRET
from token_server.livekit.port import AgentOrder, Participant, ParticipantKind
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer

ORDER = AgentOrder(agent_name="tutor", metadata='{"secret": "MaRkEr"}')
TICKET = Ticket("kitchen", "alice", ORDER)
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
LIVEKIT_ATTRIBUTES_LIMIT = 64 * 1024


@pytest.fixture(scope="module")
def sealer() -> TicketSealer:
    """A sealer with the tests' API secret."""
    return TicketSealer(API_SECRET)


def holder(sealed_ticket: str, identity: str = "alice") -> Participant:
    """Return a participant with this attribute."""
    return Participant(
        participant_identity=identity,
        participant_sid="PA_1",
        kind=ParticipantKind.HUMAN,
        joined_at=START,
        attributes={TICKET_ATTRIBUTE: sealed_ticket},
    )


def test_a_ticket_opens_for_its_holder_in_its_room(sealer: TicketSealer) -> None:
    """The whole use of it."""
    assert TICKET == sealer.open("kitchen", holder(sealer.seal(TICKET)))


def test_a_ticket_opens_in_another_process() -> None:
    """Any machine with the API secret acts on any room: there is no other store."""
    sealed_ticket = TicketSealer(API_SECRET).seal(TICKET)

    assert TICKET == TicketSealer(API_SECRET).open("kitchen", holder(sealed_ticket))


def sealed(inside: object) -> str:
    """Return what another version of this server may have sealed with the same key."""

    class Other(TicketSealer):
        def seal_anything(self) -> str:
            nonce = bytes(12)
            text = json.dumps(inside).encode()
            return base64.urlsafe_b64encode(
                nonce + self._ciphers[0].encrypt(nonce, text, None)
            ).decode()

    return Other(API_SECRET).seal_anything()


@pytest.mark.parametrize(
    ("more", "traceparent"),
    [([TRACEPARENT, "later", {"still": "later"}], TRACEPARENT), ([None, "later"], "")],
    ids=["traced", "not traced"],
)
def test_a_later_versions_ticket_opens_as_far_as_it_is_known(
    sealer: TicketSealer, more: list[object], traceparent: str
) -> None:
    """While an upgrade is under way, either version looks after any human."""
    later = sealed(["kitchen", "alice", ORDER.agent_name, ORDER.metadata, *more])

    assert replace(TICKET, traceparent=traceparent) == sealer.open("kitchen", holder(later))


OTHER_SHAPES: list[object] = [
    *({"room": "kitchen"}, "kitchen", None),
    *(["kitchen", "alice"], ["kitchen", "alice", None, None], ["kitchen", "alice", 0, ""]),
    *(["kitchen", None, "tutor", ""], ["kitchen", "alice", "tutor", None]),
]


@pytest.mark.parametrize("inside", OTHER_SHAPES, ids=repr)
def test_a_ticket_of_another_shape_is_none(sealer: TicketSealer, inside: object) -> None:
    """An error would keep the whole room from being looked at, for ever."""
    assert None is sealer.open("kitchen", holder(sealed(inside)))


@pytest.mark.parametrize("traceparent", ["", TRACEPARENT], ids=["not traced", "traced"])
def test_a_ticket_may_want_nobody(sealer: TicketSealer, traceparent: str) -> None:
    """Whoever takes over a call, or listens, where everybody else is attended."""
    nobody = replace(TICKET, order=None, traceparent=traceparent)

    assert nobody == sealer.open("kitchen", holder(sealer.seal(nobody)))


def test_an_earlier_version_takes_a_ticket_that_wants_nobody_for_none() -> None:
    """It wants four texts; "" would be an agent without a name, and would be sent for."""

    class Other(TicketSealer):
        def inside(self, sealed_ticket: str) -> object:
            raw = base64.urlsafe_b64decode(sealed_ticket)
            return json.loads(self._ciphers[0].decrypt(raw[:12], raw[12:], None))

    nobody = replace(TICKET, order=None)

    assert ["kitchen", "alice", None, ""] == Other(API_SECRET).inside(
        TicketSealer(API_SECRET).seal(nobody)
    )


def test_a_ticket_outlasts_the_exchange_of_a_key() -> None:
    """A call that began before it is attended after it."""
    new = "a-new-made-up-secret-of-more-than-thirty-two-bytes"
    sealed_ticket = TicketSealer(API_SECRET).seal(TICKET)
    exchanging = TicketSealer(new, API_SECRET)

    assert (TICKET, None) == (
        exchanging.open("kitchen", holder(sealed_ticket)),
        TicketSealer(new).open("kitchen", holder(sealed_ticket)),
    )
    assert TICKET == TicketSealer(new).open("kitchen", holder(exchanging.seal(TICKET)))


def test_a_ticket_brings_its_trace_along(sealer: TicketSealer) -> None:
    """To whichever process the webhook reaches."""
    traced = replace(TICKET, traceparent=TRACEPARENT)

    assert traced == sealer.open("kitchen", holder(sealer.seal(traced)))


def test_a_ticket_without_a_trace_is_no_longer_for_it(sealer: TicketSealer) -> None:
    """Who traces nothing pays nothing; and tickets of both kinds are good everywhere."""
    traced = replace(TICKET, traceparent=TRACEPARENT)

    assert len(sealer.seal(TICKET)) < len(sealer.seal(traced)) - len(TRACEPARENT)


def test_a_ticket_does_not_move_to_another_room(sealer: TicketSealer) -> None:
    """Attributes are visible to all in the room, and can be copied."""
    assert None is sealer.open("bedroom", holder(sealer.seal(TICKET)))


def test_a_ticket_does_not_move_to_another_participant(sealer: TicketSealer) -> None:
    """Likewise."""
    assert None is sealer.open("kitchen", holder(sealer.seal(TICKET), "mallory"))


@pytest.mark.parametrize("position", [0, 10, 60, -1], ids=["version", "time", "text", "signature"])
def test_a_changed_ticket_does_not_open(sealer: TicketSealer, position: int) -> None:
    """Wherever the change is."""
    changed = bytearray(sealer.seal(TICKET).rstrip("=").encode())
    changed[position] = ord("A") if changed[position] != ord("A") else ord("Q")

    assert None is sealer.open("kitchen", holder(changed.decode() + "=="))


def test_a_ticket_sealed_with_another_secret_does_not_open(sealer: TicketSealer) -> None:
    """Only who holds the API secret can order an agent."""
    forged = TicketSealer(API_SECRET[::-1]).seal(TICKET)

    assert None is sealer.open("kitchen", holder(forged))


def test_who_has_no_ticket_has_none(sealer: TicketSealer) -> None:
    """Humans with tokens from elsewhere."""
    nobody = replace(holder(""), attributes={})

    assert (None, None) == (sealer.open("kitchen", nobody), sealer.open("kitchen", holder("")))


def test_a_ticket_cannot_be_read(sealer: TicketSealer) -> None:
    """The agent's metadata may be instructions that the human is not to see."""
    sealed_ticket = sealer.seal(TICKET)

    assert [] == [word for word in ("MaRkEr", "tutor", "alice") if word in sealed_ticket]


def test_two_tickets_for_the_same_look_different(sealer: TicketSealer) -> None:
    """Nobody learns that two humans asked for the same; the keeper tells their tokens apart."""
    assert sealer.seal(TICKET) != sealer.seal(TICKET)


@pytest.mark.parametrize("text", ["é" * 4096, "🎉" * 2048, '"\\' * 4096], ids=["é", "🎉", "quotes"])
def test_the_largest_ticket_fits_livekits_limit(sealer: TicketSealer, text: str) -> None:
    """A ticket over 64 KiB would be a token that cannot join (livekit-behaviour 15)."""
    order = AgentOrder(agent_name="a" * 256, metadata=text)
    largest = Ticket("r" * 256, "i" * 256, order, TRACEPARENT)

    others = 8192
    assert len(sealer.seal(largest)) + others < LIVEKIT_ATTRIBUTES_LIMIT


@hypothesis.given(st.text(st.characters(codec=None, exclude_categories=())))
def test_whatever_else_is_in_the_attribute_is_no_ticket(text: str) -> None:
    """Whoever mints tokens with the same key may write there what they like."""
    assert None is TicketSealer(API_SECRET).open("kitchen", holder(text))


@hypothesis.given(st.data())
def test_whatever_is_changed_in_a_ticket_it_does_not_open(data: st.DataObject) -> None:
    """A bit anywhere, or a piece cut off or added."""
    sealer = TicketSealer(API_SECRET)
    sealed = base64.urlsafe_b64decode(sealer.seal(TICKET))
    start = data.draw(st.integers(0, len(sealed)))
    end = data.draw(st.integers(start, len(sealed)))
    changed = sealed[:start] + data.draw(st.binary(max_size=20)) + sealed[end:]
    hypothesis.assume(changed != sealed)

    assert None is sealer.open("kitchen", holder(base64.urlsafe_b64encode(changed).decode()))


@hypothesis.given(st.text(), st.text(), st.text(), st.text())
def test_whatever_was_sealed_comes_out_again(
    room_name: str, identity: str, agent_name: str, metadata: str
) -> None:
    """Names and metadata are in any language."""
    order = AgentOrder(agent_name=agent_name, metadata=metadata)
    ticket = Ticket(room_name, identity, order)
    sealer = TicketSealer(API_SECRET)

    assert ticket == sealer.open(room_name, holder(sealer.seal(ticket), identity))
