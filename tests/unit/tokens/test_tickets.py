"""Tickets: who can read, forge or move one (nobody)."""

import base64
import json
from dataclasses import replace

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.fakes import START
from tests.long_metadata import LONG_METADATA
from tests.processes import API_SECRET
from token_server.livekit.port import AgentOrder, Participant, ParticipantKind
from token_server.tokens.packing import LONGEST_UNPACKED
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer

ORDER = AgentOrder(agent_name="tutor", metadata='{"secret": "MaRkEr"}')
TICKET = Ticket("kitchen", "alice", ORDER)
LONG = Ticket("kitchen", "alice", AgentOrder(agent_name="tutor", metadata=LONG_METADATA))
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


def opened_before(sealed_ticket: str) -> object:
    """Return what a version that knows of no second text finds in a ticket."""

    class Earlier(TicketSealer):
        def inside(self) -> object:
            raw = base64.urlsafe_b64decode(sealed_ticket.encode())
            return json.loads(self._ciphers[0].decrypt(raw[:12], raw[12:], None))

    return Earlier(API_SECRET).inside()


def test_an_earlier_version_takes_a_ticket_that_wants_nobody_for_none(
    sealer: TicketSealer,
) -> None:
    """It wants four texts; "" would be an agent without a name, and would be sent for."""
    nobody = replace(TICKET, order=None)

    assert ["kitchen", "alice", None, ""] == opened_before(sealer.seal(nobody))


@pytest.mark.parametrize("identity", ["", "a", "al", "ali", "alic", "alice"])
@pytest.mark.parametrize("traceparent", ["", TRACEPARENT], ids=["not traced", "traced"])
def test_an_earlier_version_knows_all_of_a_long_ticket_but_the_metadata(
    sealer: TicketSealer, identity: str, traceparent: str
) -> None:
    """Going back to it leaves nobody without an agent, wherever its base64 ends."""
    long = replace(LONG, participant_identity=identity, traceparent=traceparent)

    found = opened_before(sealer.seal(long))

    assert ["kitchen", identity, "tutor", "", traceparent, {"second": True}] == found


def test_a_short_ticket_is_what_earlier_versions_sealed(sealer: TicketSealer) -> None:
    """While an upgrade is under way, they lose nothing of the usual ones."""
    assert ["kitchen", "alice", "tutor", ORDER.metadata] == opened_before(sealer.seal(TICKET))


def test_a_long_ticket_of_an_earlier_version_opens(sealer: TicketSealer) -> None:
    """It sealed metadata of any length as it was; calls that began with it go on."""
    before = sealed(["kitchen", "alice", "tutor", LONG_METADATA])

    assert LONG == sealer.open("kitchen", holder(before))


def test_a_long_ticket_brings_all_of_its_metadata(sealer: TicketSealer) -> None:
    """In two fifths of its bytes, where each counts in the token."""
    sealed_ticket = sealer.seal(LONG)

    assert LONG == sealer.open("kitchen", holder(sealed_ticket))
    assert len(sealed_ticket) < len(LONG_METADATA.encode()) / 2


def test_options_of_a_dispatch_travel_along(sealer: TicketSealer) -> None:
    """A replacement is sent to the same deployment, and is told the same."""
    tickets = [
        replace(
            ticket,
            order=replace(ticket.order or ORDER, deployment="canary", attributes={"table": "7"}),
        )
        for ticket in (TICKET, LONG, replace(TICKET, traceparent=TRACEPARENT))
    ]

    assert tickets == [sealer.open("kitchen", holder(sealer.seal(ticket))) for ticket in tickets]


@pytest.mark.parametrize("more", ["later", {"deployment": 7, "attributes": "later", "more": 1}])
def test_options_that_a_later_version_writes_otherwise_are_passed_over(
    sealer: TicketSealer, more: object
) -> None:
    """Half of what it says might be an order that LiveKit refuses for ever."""
    later = sealed(["kitchen", "alice", "tutor", ORDER.metadata, "", more])

    assert TICKET == sealer.open("kitchen", holder(later))


def test_the_texts_of_two_tickets_do_not_mix(sealer: TicketSealer) -> None:
    """Nobody gives one human's agent what was meant for another's, nor leaves it out."""
    first, second = sealer.seal(LONG).split(".")
    _, other = sealer.seal(LONG).split(".")
    mixed = [f"{first}.{other}", f"{first}.", first, f"{first}.{second[:-5]}", f".{second}"]

    assert [None] * 5 == [sealer.open("kitchen", holder(each)) for each in mixed]


def test_a_second_text_that_grows_without_end_is_none(sealer: TicketSealer) -> None:
    """It is ours alone to seal; a slip of ours would be read at each look."""
    order = AgentOrder(agent_name="tutor", metadata="x" * (LONGEST_UNPACKED + 1))

    assert None is sealer.open("kitchen", holder(sealer.seal(replace(LONG, order=order))))


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


@hypothesis.given(st.text(), st.text(), st.text(), st.text() | st.text().map((600 * "é").__add__))
def test_whatever_was_sealed_comes_out_again(
    room_name: str, identity: str, agent_name: str, metadata: str
) -> None:
    """Names and metadata are in any language."""
    order = AgentOrder(agent_name=agent_name, metadata=metadata)
    ticket = Ticket(room_name, identity, order)
    sealer = TicketSealer(API_SECRET)

    assert ticket == sealer.open(room_name, holder(sealer.seal(ticket), identity))
