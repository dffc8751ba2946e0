"""Whom an operator releases who takes a call over, and what is taken back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared_settings.agent_signs import DISPATCH_ATTRIBUTE
from shared_settings.release_marks import release_attribute, release_mark
from tests.fakes import START
from tests.processes import API_SECRET
from token_server.errors import InvalidRequestError
from token_server.keeper.releases import (
    ReleasePlan,
    ReleaseRequest,
    RoomContent,
    plan_release,
    wants_of_all,
)
from token_server.keeper.wanted_agents import Policy
from token_server.livekit.port import (
    AGENT_NAME_ATTRIBUTE,
    AgentOrder,
    Dispatch,
    Job,
    JobStatus,
    Participant,
    ParticipantKind,
)
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer
from token_server.tokens.token_request import parse_body

OLD_SECRET = "the-secret-before"
SECRETS = (API_SECRET, OLD_SECRET)
SEALER = TicketSealer(*SECRETS)
ONLY_TICKETS = Policy(agent_names=("tutor", "cook"))
ANYBODY = Policy(agent_names=("tutor",), attend_rooms=("kitchen",))
EVERYBODY = ReleaseRequest()


def human(identity: str, wants: str | None = None) -> Participant:
    """Somebody in the kitchen, with a ticket if they want an agent."""
    found = Participant(
        participant_identity=identity,
        participant_sid=f"PA_{identity}",
        kind=ParticipantKind.HUMAN,
        joined_at=START,
    )
    if wants is None:
        return found
    ticket = SEALER.seal(Ticket("kitchen", identity, AgentOrder(agent_name=wants)))
    return replace(found, attributes={TICKET_ATTRIBUTE: ticket})


def marked(who: Participant, agent_name: str, secret: str = API_SECRET) -> Participant:
    """The same human, once they are released."""
    mark = release_mark(secret, "kitchen", who.participant_identity, agent_name)
    return replace(who, attributes=who.attributes | {release_attribute(agent_name): mark})


def agent(identity: str, agent_name: str, dispatch_id: str = "") -> Participant:
    """An agent in the kitchen."""
    signs = {AGENT_NAME_ATTRIBUTE: agent_name}
    return Participant(
        participant_identity=identity,
        participant_sid=f"PA_{identity}",
        kind=ParticipantKind.AGENT,
        joined_at=START + timedelta(seconds=1),
        attributes=signs | ({DISPATCH_ATTRIBUTE: dispatch_id} if dispatch_id else {}),
    )


def dispatch(dispatch_id: str, agent_name: str, *identities: str) -> Dispatch:
    """A dispatch, with the jobs of these agents."""
    jobs = [
        Job(
            job_id=f"AJ_{one}", status=JobStatus.RUNNING, started_at=START, participant_identity=one
        )
        for one in identities
    ]
    return Dispatch(
        dispatch_id=dispatch_id, agent_name=agent_name, created_at=START, jobs=tuple(jobs)
    )


def plan(
    *content: Participant | Dispatch,
    request: ReleaseRequest = EVERYBODY,
    policy: Policy = ONLY_TICKETS,
) -> ReleasePlan:
    """Decide for a kitchen with these in it."""
    participants = [each for each in content if isinstance(each, Participant)]
    dispatches = [each for each in content if isinstance(each, Dispatch)]
    room = RoomContent(room_name="kitchen", participants=participants, dispatches=dispatches)
    wanted = wants_of_all("kitchen", participants, SEALER, policy)
    return plan_release(room, wanted, request, SEALER)


def released(found: ReleasePlan) -> list[tuple[str, str]]:
    """Who is released from which agent."""
    return [(each.human.participant_identity, each.agent_name) for each in found.humans]


def taken_back(found: ReleasePlan) -> list[str]:
    """The ids of the dispatches that are taken back."""
    return [each.dispatch_id for each in found.dispatches]


def test_a_human_is_marked_and_what_was_sent_for_them_is_taken_back() -> None:
    """The mark is the one that any process knows."""
    found = plan(human("alice", "tutor"), dispatch("AD_1", "tutor"), dispatch("AD_2", "tutor"))

    mark = release_mark(API_SECRET, "kitchen", "alice", "tutor")
    assert [("alice", "tutor")] == released(found)
    assert [{release_attribute("tutor"): mark}] == [each.attributes for each in found.humans]
    assert (["AD_1", "AD_2"], ()) == (taken_back(found), found.agents)


def test_whoever_wants_no_agent_has_nothing_to_be_released_from() -> None:
    """Agents that others have sent for are none of our business, nor LiveKit's nameless one."""
    found = plan(
        human("bob"),
        agent("agent-1", "tutor"),
        dispatch("AD_1", "tutor"),
        dispatch("AD_2", ""),
    )

    assert ReleasePlan() == found


def test_in_an_attended_room_anybody_is_released() -> None:
    """Phone callers have no ticket."""
    found = plan(human("sip_1"), dispatch("AD_1", "tutor"), policy=ANYBODY)

    assert ([("sip_1", "tutor")], ["AD_1"]) == (released(found), taken_back(found))


def test_each_is_released_from_the_agent_that_they_want() -> None:
    """Two agents of one room, and both go."""
    found = plan(
        human("alice", "tutor"),
        human("bob", "cook"),
        dispatch("AD_1", "tutor"),
        dispatch("AD_2", "cook"),
    )

    assert [("alice", "tutor"), ("bob", "cook")] == released(found)
    assert ["AD_1", "AD_2"] == taken_back(found)


def test_one_agent_of_two_can_be_named() -> None:
    """The other one goes on."""
    found = plan(
        human("alice", "tutor"),
        human("bob", "cook"),
        dispatch("AD_1", "tutor"),
        dispatch("AD_2", "cook"),
        request=ReleaseRequest(agent_name="cook"),
    )

    assert ([("bob", "cook")], ["AD_2"]) == (released(found), taken_back(found))


def test_an_agent_without_a_name_can_be_named() -> None:
    """AGENT_DISPATCH=automatic."""
    nameless = Policy(agent_names=("",), attend_rooms=("*",))
    found = plan(
        human("bob"),
        dispatch("AD_1", ""),
        request=ReleaseRequest(agent_name=""),
        policy=nameless,
    )

    assert ([("bob", "")], ["AD_1"]) == (released(found), taken_back(found))


def test_an_agent_that_somebody_else_wants_stays() -> None:
    """One of two humans is taken over; and it goes with the last of them."""
    alice, bob, sent = human("alice", "tutor"), human("bob", "tutor"), dispatch("AD_1", "tutor")
    only_bob = ReleaseRequest(participant_identity="bob")

    first = plan(alice, bob, sent, request=only_bob)
    last = plan(marked(alice, "tutor"), bob, sent, request=only_bob)

    assert ([("bob", "tutor")], []) == (released(first), taken_back(first))
    assert ([("bob", "tutor")], ["AD_1"]) == (released(last), taken_back(last))


@pytest.mark.parametrize(
    "request_",
    [ReleaseRequest(agent_name="gardener"), ReleaseRequest(participant_identity="carol")],
    ids=["agent", "human"],
)
def test_who_is_not_there_is_not_released(request_: ReleaseRequest) -> None:
    """A slip of the pen takes nothing back."""
    found = plan(human("alice", "tutor"), dispatch("AD_1", "tutor"), request=request_)

    assert ReleasePlan() == found


@pytest.mark.parametrize("secret", SECRETS)
def test_half_a_release_can_be_asked_for_again(secret: str) -> None:
    """LiveKit went away behind the first mark: the dispatch is taken back, nobody marked twice."""
    alice = marked(human("alice", "tutor"), "tutor", secret)

    found = plan(alice, human("bob", "tutor"), dispatch("AD_1", "tutor"))

    assert [("alice", False), ("bob", True)] == [
        (each.human.participant_identity, bool(each.attributes)) for each in found.humans
    ]
    assert ["AD_1"] == taken_back(found)


def test_a_forged_mark_is_replaced() -> None:
    """A client may write attributes where its token lets it."""
    alice = marked(human("alice", "tutor"), "tutor", "guessed")

    (found,) = plan(alice).humans

    assert {release_attribute("tutor"): release_mark(API_SECRET, "kitchen", "alice", "tutor")} == (
        found.attributes
    )


def test_an_agent_that_came_of_no_dispatch_is_put_out() -> None:
    """Others leave with their dispatch: LiveKit sees to it."""
    found = plan(
        human("alice", "tutor"),
        agent("agent-1", "tutor", "AD_1"),
        agent("agent-2", "tutor"),
        agent("agent-3", "tutor", "AD_gone"),
        agent("agent-4", "cook"),
        dispatch("AD_1", "tutor"),
        dispatch("AD_2", "tutor", "agent-2"),
    )

    assert ["agent-3"] == [each.participant_identity for each in found.agents]


def test_a_mark_is_not_shown_in_a_traceback() -> None:
    """It is as good as a signature."""
    found = plan(human("alice", "tutor"))

    assert release_mark(API_SECRET, "kitchen", "alice", "tutor") not in repr(found)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"agent_name": null}'])
def test_without_fields_everybody_is_released(body: bytes) -> None:
    """What curl sends by itself."""
    assert ReleaseRequest() == parse_body(ReleaseRequest, body)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"agent_name": 1}', "agent_name input should be a valid string"),
        (b'{"participant_identity": ["a"]}', "participant_identity input should be a valid string"),
        (b'{"identity": "a"}', "'identity' is not a field that a caller may set"),
        (b"[]", "body input should be an object"),
        (b"{", "body invalid JSON"),
    ],
    ids=["number", "list", "unknown", "no object", "no json"],
)
def test_a_broken_body_is_told_the_field_and_the_rule(body: bytes, says: str) -> None:
    """And releases nobody: whoever misspells a field did not mean all humans."""
    with pytest.raises(InvalidRequestError, match=f"^{says}"):
        parse_body(ReleaseRequest, body)
