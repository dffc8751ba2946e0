from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from shared_settings.release_marks import release_attribute, release_mark
from tests.fakes import FakeLiveKit
from tests.lives import unasked
from tests.long_metadata import LONG_METADATA
from token_server.errors import LiveKitBusyError, LiveKitUnavailableError
from token_server.keeper.agent_life import DeadAgent, Death
from token_server.keeper.look_at_room import Looker
from token_server.keeper.observed_room import AGENT_STATE_ATTRIBUTE
from token_server.keeper.wanted_agents import Policy
from token_server.livekit.pace import Purpose
from token_server.livekit.port import AgentOrder, Dispatch, Participant, ParticipantKind
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer

SECRET = "a-made-up-secret-of-more-than-thirty-two-bytes"
SEALER = TicketSealer(SECRET)
AGENT = "voice-agent"
POLICY = Policy(agent_names=(AGENT, "other"), attend_rooms=("phone-*",))


@dataclass
class Locks:
    """Locks that are free, or held by somebody else."""

    is_free: bool = True
    held: list[str] = field(default_factory=list)

    @contextmanager
    def hold_room(self, room_name: str) -> Iterator[bool]:
        """Note who asked."""
        self.held.append(room_name)
        yield self.is_free


@pytest.fixture
def rooms() -> FakeLiveKit:
    """An empty LiveKit."""
    return FakeLiveKit()


@pytest.fixture
def looker(rooms: FakeLiveKit) -> Looker:
    """A process that has seen nothing yet."""
    return Looker(rooms, Locks(), SEALER, POLICY, unasked(rooms))


def ticket(room_name: str, identity: str, agent_name: str = AGENT, metadata: str = "") -> str:
    """What the token of this human carries."""
    order = AgentOrder(agent_name=agent_name, metadata=metadata)
    return SEALER.seal(Ticket(room_name, identity, order))


def join(rooms: FakeLiveKit, identity: str = "alice", agent_name: str = AGENT) -> None:
    """Let a human with our token join "room"."""
    rooms.join("room", identity, {TICKET_ATTRIBUTE: ticket("room", identity, agent_name)})


def look_twice(rooms: FakeLiveKit, looker: Looker) -> None:
    """Look, and as soon as that look says once more: one answer may leave an agent out."""
    looked = looker.look("room")
    assert looked.again_in is not None
    rooms.pass_time(seconds=looked.again_in)
    looker.look("room")


def dispatched(rooms: FakeLiveKit) -> list[str]:
    """The agents that were sent, in order."""
    return [order.agent_name for _, order in rooms.created]


def test_a_human_with_our_token_gets_the_agent(rooms: FakeLiveKit, looker: Looker) -> None:
    """The whole product in one look."""
    sealed = ticket("room", "alice", metadata="hello")
    rooms.join("room", "alice", {TICKET_ATTRIBUTE: sealed})

    looked = looker.look("room")

    assert [("room", AgentOrder(agent_name=AGENT, metadata="hello"))] == rooms.created
    assert (1.0, Purpose.AGAIN) == (looked.again_in, looked.purpose)
    assert sealed in looked.tickets


def test_the_agent_is_told_all_that_the_token_asked_for(rooms: FakeLiveKit, looker: Looker) -> None:
    """However long it is; and a replacement is sent to the same deployment, with the same."""
    order = AgentOrder(
        agent_name=AGENT,
        metadata=LONG_METADATA,
        deployment="canary",
        attributes={"table": "7"},
    )
    sealed = SEALER.seal(Ticket("room", "alice", order))
    rooms.join("room", "alice", {TICKET_ATTRIBUTE: sealed})
    looker.look("room")
    rooms.pass_time(seconds=7)

    looker.look("room")

    assert [("room", order)] * 2 == rooms.created


def test_looking_again_and_again_sends_no_second_agent(rooms: FakeLiveKit, looker: Looker) -> None:
    """Doubled webhooks, sweeps and follows all end up here."""
    join(rooms)

    for _ in range(5):
        looker.look("room")

    assert [AGENT] == dispatched(rooms)


def test_an_attended_room_costs_one_call(rooms: FakeLiveKit, looker: Looker) -> None:
    """Most looks are at rooms where all is well (livekit-behaviour 7)."""
    join(rooms)
    rooms.join_agent("room", AGENT)

    looked = looker.look("room")

    assert (["list_participants"], None) == (rooms.calls, looked.again_in)


def test_an_empty_room_costs_one_call(rooms: FakeLiveKit, looker: Looker) -> None:
    """A followed room before its human comes."""
    rooms.join("room", "alice")
    rooms.leave("room", "alice")

    looker.look("room")

    assert ["list_participants"] == rooms.calls


def test_a_human_without_a_ticket_gets_nobody(rooms: FakeLiveKit, looker: Looker) -> None:
    """Somebody else's rooms on the same LiveKit are none of our business."""
    rooms.join("room", "bob")

    looker.look("room")

    assert [] == dispatched(rooms)


@pytest.mark.parametrize(
    "attribute",
    [
        pytest.param(ticket("other-room", "mallory"), id="of another room"),
        pytest.param(ticket("room", "alice"), id="of another participant"),
        pytest.param("made-up", id="forged"),
        pytest.param("é" * 9, id="not even ASCII"),
    ],
)
def test_a_ticket_that_is_not_theirs_gets_nobody(
    rooms: FakeLiveKit, looker: Looker, attribute: str
) -> None:
    """Attributes are readable by everyone in the room."""
    rooms.join("room", "mallory", {TICKET_ATTRIBUTE: attribute})

    looker.look("room")

    assert [] == dispatched(rooms)


def test_a_phone_caller_is_attended_where_attend_rooms_says_so(
    rooms: FakeLiveKit, looker: Looker
) -> None:
    """ATTEND_ROOMS: for humans whose token somebody else minted."""
    rooms.join("phone-1", "+31 6")

    looker.look("phone-1")

    assert [AGENT] == dispatched(rooms)


def test_an_egress_is_no_human(rooms: FakeLiveKit, looker: Looker) -> None:
    """A recorder alone in a room needs no agent (livekit-behaviour 42)."""
    rooms.join("phone-1", "recorder", kind=ParticipantKind.OTHER)

    looker.look("phone-1")

    assert [] == dispatched(rooms)


def test_two_humans_with_two_tickets_get_both_agents(rooms: FakeLiveKit, looker: Looker) -> None:
    """Each wanted name is attended on its own."""
    join(rooms, "alice", AGENT)
    join(rooms, "bob", "other")

    looker.look("room")

    assert ["other", AGENT] == sorted(dispatched(rooms))


def test_a_lost_job_is_offered_again(rooms: FakeLiveKit, looker: Looker) -> None:
    """No worker at the join (livekit-behaviour 22): every six seconds another chance."""
    join(rooms)
    looker.look("room")
    rooms.pass_time(seconds=6)

    looker.look("room")

    assert ([AGENT, AGENT], 1) == (dispatched(rooms), rooms.calls.count("delete_dispatch"))


def test_a_reload_gets_a_new_agent_at_once(rooms: FakeLiveKit, looker: Looker) -> None:
    """The agent was seen, so its dispatch is spent although LiveKit lists a running job."""
    join(rooms)
    looker.look("room")
    rooms.take_job("room")
    rooms.join_agent("room", AGENT)
    looker.look("room")
    rooms.leave("room", "alice")
    rooms.leave("room", f"agent-{AGENT}")
    rooms.pass_time(seconds=0.1)
    join(rooms)

    look_twice(rooms, looker)

    assert [AGENT, AGENT] == dispatched(rooms)


def test_an_agent_that_left_an_empty_room_leaves_no_dispatch(
    rooms: FakeLiveKit, looker: Looker
) -> None:
    """What this process saw becomes LiveKit's state, for whichever process is next."""
    join(rooms)
    looker.look("room")
    rooms.join_agent("room", AGENT)
    looker.look("room")
    rooms.leave("room", "alice")
    rooms.leave("room", f"agent-{AGENT}")

    look_twice(rooms, looker)

    assert [""] == [d.agent_name for d in rooms.rooms["room"].dispatches.values()]


def test_an_ended_room_is_not_asked_for_its_dispatches(rooms: FakeLiveKit, looker: Looker) -> None:
    """ListDispatch on a missing room takes 3 s of a thread's time (livekit-behaviour 5)."""
    join(rooms)
    rooms.join_agent("room", AGENT)
    looker.look("room")
    rooms.end_room("room")

    looker.look("room")

    assert "list_dispatches" not in rooms.calls


def test_somebody_elses_agent_is_left_alone(rooms: FakeLiveKit, looker: Looker) -> None:
    """Only the agents that we may send are ours to take back."""
    rooms.join_agent("room", "transcriber")
    looker.look("room")
    rooms.leave("room", "agent-transcriber")

    looker.look("room")

    assert "delete_dispatch" not in rooms.calls


def test_the_younger_of_two_agents_is_put_out(rooms: FakeLiveKit, looker: Looker) -> None:
    """A worker without a fixed identity can be there twice."""
    join(rooms)
    rooms.join_agent("room", AGENT, "first")
    rooms.pass_time(seconds=1)
    rooms.join_agent("room", AGENT, "second")

    looker.look("room")

    assert {"alice", "first"} == rooms.rooms["room"].participants.keys()


def test_a_room_that_another_actor_holds_is_only_observed() -> None:
    """One actor a room; the loser looks again soon."""
    rooms = FakeLiveKit()
    join(rooms)

    looked = Looker(rooms, Locks(is_free=False), SEALER, POLICY, unasked(rooms)).look("room")

    assert ([], True) == (dispatched(rooms), (looked.again_in or 9) < 0.2)


def test_an_error_leads_to_nothing(rooms: FakeLiveKit, looker: Looker) -> None:
    """Unknown is not "nobody is there": no dispatch, no removal."""
    join(rooms)
    rooms.is_down = True

    with pytest.raises(LiveKitUnavailableError):
        looker.look("room")

    assert [] == dispatched(rooms)


class LeavingLiveKit(FakeLiveKit):
    """A LiveKit whose human leaves, and whose room ends, while we dispatch."""

    def create_dispatch(self, room_name: str, order: AgentOrder) -> Dispatch:
        """Dispatch into a room that has just ended."""
        self.end_room(room_name)
        return super().create_dispatch(room_name, order)


def test_no_agent_stays_in_a_room_that_we_re_created() -> None:
    """CreateDispatch makes a missing room (livekit-behaviour 3), and nobody would be in it."""
    rooms = LeavingLiveKit()
    join(rooms)

    Looker(rooms, Locks(), SEALER, POLICY, unasked(rooms)).look("room")

    assert [""] == [d.agent_name for d in rooms.rooms["room"].dispatches.values()]


def test_a_quick_agent_does_not_stay_in_a_room_that_we_re_created() -> None:
    """It may be there before our next question is answered."""

    class QuickLiveKit(LeavingLiveKit):
        def create_dispatch(self, room_name: str, order: AgentOrder) -> Dispatch:
            dispatch = super().create_dispatch(room_name, order)
            self.join_agent(room_name, order.agent_name)
            return dispatch

    rooms = QuickLiveKit()
    join(rooms)

    Looker(rooms, Locks(), SEALER, POLICY, unasked(rooms)).look("room")

    assert [""] == [d.agent_name for d in rooms.rooms["room"].dispatches.values()]


def test_what_a_failed_look_made_is_taken_back_by_the_next() -> None:
    """LiveKit falls silent just after a dispatch, and the human has left."""

    class FailingLiveKit(LeavingLiveKit):
        def create_dispatch(self, room_name: str, order: AgentOrder) -> Dispatch:
            dispatch = super().create_dispatch(room_name, order)
            self.is_down = True
            return dispatch

    rooms = FailingLiveKit()
    join(rooms)
    looker = Looker(rooms, Locks(), SEALER, POLICY, unasked(rooms))
    with pytest.raises(LiveKitUnavailableError):
        looker.look("room")
    rooms.is_down = False

    looker.look("room")

    assert [""] == [d.agent_name for d in rooms.rooms["room"].dispatches.values()]


def test_an_agent_that_comes_during_a_look_is_not_taken_for_gone() -> None:
    """Its webhook overtakes the answer that does not list it yet: it must keep its job."""

    class OvertakenLiveKit(FakeLiveKit):
        def list_participants(self, room_name: str) -> Sequence[Participant]:
            listed = super().list_participants(room_name)
            self.pass_time(seconds=1)
            process.sightings.note(room_name, self.join_agent(room_name, AGENT))
            return listed

    rooms = OvertakenLiveKit()
    join(rooms)
    rooms.create_dispatch("room", AgentOrder(agent_name=AGENT))
    process = Looker(rooms, Locks(), SEALER, POLICY, unasked(rooms))

    process.look("room")

    assert "delete_dispatch" not in rooms.calls


@dataclass
class Lives:
    """Which agents are dead, as a test says."""

    died: list[DeadAgent] = field(default_factory=list)
    heard: bool = False
    ghosts: set[str] = field(default_factory=set)  # identities

    def dead(self, room_name: str) -> list[DeadAgent]:
        """Return them."""
        del room_name
        return self.died

    def heard_within(self, room_name: str, agent_name: str, seconds: float) -> bool:
        """Say whether something was heard."""
        del room_name, agent_name, seconds
        return self.heard

    def seems_dead(self, room_name: str, agent: Participant) -> bool:
        """Say whether this one does not answer."""
        del room_name
        return agent.participant_identity in self.ghosts


def find_dead(rooms: FakeLiveKit, lives: Lives, identity: str = f"agent-{AGENT}") -> None:
    """Let an agent that is in the room be found dead."""
    agent = rooms.rooms["room"].participants[identity]
    lives.died.append(DeadAgent(participant=agent, death=Death.SILENT, since=rooms.now()))


@pytest.fixture
def lives() -> Lives:
    """Everybody lives."""
    return Lives()


@pytest.fixture
def asking(rooms: FakeLiveKit, lives: Lives) -> Looker:
    """A process whose agents are asked whether they live; one of them is in a call."""
    looker = Looker(rooms, Locks(), SEALER, POLICY, lives)
    join(rooms)
    looker.look("room")
    rooms.take_job("room")
    rooms.join_agent("room", AGENT)
    looker.look("room")
    rooms.calls.clear()
    return looker


def test_a_dead_agent_is_replaced_in_one_look(
    rooms: FakeLiveKit, lives: Lives, asking: Looker
) -> None:
    """Put out, its dispatch deleted, the next one sent: in this order."""
    find_dead(rooms, lives)

    looked = asking.look("room")

    acts = [call for call in rooms.calls if not call.startswith("list")]
    noted, told = ["set_attributes"], ["set_attributes"]
    assert [
        "remove_participant",
        "delete_dispatch",
        *noted,
        "create_dispatch",
        *told,
    ] == acts
    assert ([AGENT] * 2, [Death.SILENT]) == (
        dispatched(rooms),
        [removal.reason for removal in looked.removed],
    )


def test_the_human_is_told_while_the_agent_is_replaced(
    rooms: FakeLiveKit, lives: Lives, asking: Looker
) -> None:
    """A page can say so; and that it is over."""
    find_dead(rooms, lives)
    asking.look("room")
    meanwhile = rooms.rooms["room"].participants["alice"].attributes
    rooms.join_agent("room", AGENT, "agent-2")
    asking.look("room")
    afterwards = rooms.rooms["room"].participants["alice"].attributes

    assert "replacing" == meanwhile[AGENT_STATE_ATTRIBUTE]
    assert AGENT_STATE_ATTRIBUTE not in afterwards


def test_a_process_that_has_not_seen_the_agent_does_not_unsay_that_it_is_replaced(
    rooms: FakeLiveKit, lives: Lives, asking: Looker
) -> None:
    """Two that look by turns would tell the human now this, now that, once a second."""
    find_dead(rooms, lives)
    asking.look("room")

    Looker(rooms, Locks(), SEALER, POLICY, unasked(rooms)).look("room")

    told = rooms.rooms["room"].participants["alice"].attributes
    assert "replacing" == told[AGENT_STATE_ATTRIBUTE]


def test_a_dead_agent_that_livekit_cannot_put_out_does_not_attend(
    rooms: FakeLiveKit, lives: Lives, asking: Looker
) -> None:
    """A crashed node's participants are listed for ever, and nobody can reach them."""
    find_dead(rooms, lives)
    rooms.unremovable.add(f"agent-{AGENT}")

    asking.look("room")
    rooms.join_agent("room", AGENT, "agent-2")
    looked = asking.look("room")

    assert ([AGENT] * 2, None) == (dispatched(rooms), looked.again_in)
    assert 1 == rooms.calls.count("remove_participant")


def test_a_dead_agent_that_livekit_was_too_busy_for_is_put_out_later(
    rooms: FakeLiveKit, lives: Lives, asking: Looker
) -> None:
    """It has not tried: the agent may thaw, and would be beside the next one."""
    find_dead(rooms, lives)
    rooms.busy_with.add("remove_participant")
    with pytest.raises(LiveKitBusyError):
        asking.look("room")
    rooms.busy_with.clear()

    asking.look("room")

    assert {"alice"} == rooms.rooms["room"].participants.keys()


def test_a_ghost_that_another_process_knows_of_does_not_cost_the_living_one_its_place(
    rooms: FakeLiveKit, lives: Lives, asking: Looker
) -> None:
    """It is the elder, and stays in the list for ever."""
    lives.ghosts.add(f"agent-{AGENT}")
    rooms.unremovable.add(f"agent-{AGENT}")
    living = rooms.join_agent("room", AGENT, "agent-2")

    asking.look("room")
    looked = asking.look("room")

    assert (living,) == looked.view.watched
    assert {"agent-2", f"agent-{AGENT}", "alice"} == rooms.rooms["room"].participants.keys()
    assert 1 == rooms.calls.count("remove_participant")


def test_a_younger_ghost_that_nobody_can_put_out_is_no_trouble_for_ever(
    rooms: FakeLiveKit, lives: Lives, asking: Looker
) -> None:
    """One process has found it dead; each other one would fail at it in every look."""
    elder = rooms.rooms["room"].participants[f"agent-{AGENT}"]
    rooms.pass_time(seconds=1)
    rooms.join_agent("room", AGENT, "agent-2")
    lives.ghosts.add("agent-2")
    rooms.unremovable.add("agent-2")

    looked = asking.look("room")

    assert ((elder,), None) == (looked.view.watched, looked.again_in)


class Interrupted(FakeLiveKit):
    """A LiveKit that does something else between the answers of one look."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], None] = lambda: None

    def list_dispatches(self, room_name: str) -> Sequence[Dispatch]:
        """Answer, after the interruption."""
        self.meanwhile()
        return super().list_dispatches(room_name)


def test_an_answer_from_before_an_agent_came_is_no_proof_of_its_absence() -> None:
    """Its webhook overtakes the answer, which is counted late."""
    rooms = Interrupted()
    looker = Looker(rooms, Locks(), SEALER, POLICY, unasked(rooms))
    join(rooms)
    looker.look("room")
    rooms.join_agent("room", AGENT)
    agent = rooms.rooms["room"].participants.pop(f"agent-{AGENT}")
    rooms.meanwhile = lambda: looker.sightings.note("room", agent)
    looker.look("room")

    rooms.meanwhile = lambda: None
    rooms.pass_time(seconds=0.3)

    assert not looker.look("room").decided[-1][1].is_absence_proven


def test_an_agent_that_answers_is_not_lost_by_a_list_without_it(
    rooms: FakeLiveKit, lives: Lives, asking: Looker
) -> None:
    """However many answers leave it out: it has just said that it lives."""
    lives.heard = True
    rooms.leave("room", f"agent-{AGENT}")

    for _ in range(5):
        rooms.pass_time(seconds=1)
        asking.look("room")

    assert [AGENT] == dispatched(rooms)


def test_an_absence_that_a_webhook_tells_counts_at_once(rooms: FakeLiveKit, asking: Looker) -> None:
    """No second look is needed where LiveKit has said it."""
    agent = rooms.rooms["room"].participants[f"agent-{AGENT}"]
    rooms.leave("room", f"agent-{AGENT}")
    asking.sightings.note("room", agent, is_here=False)

    asking.look("room")

    assert [AGENT] * 2 == dispatched(rooms)


def test_an_old_absence_proves_nothing(rooms: FakeLiveKit, asking: Looker) -> None:
    """Two answers that are far apart may each be wrong by themselves."""
    agent = rooms.rooms["room"].participants.pop(f"agent-{AGENT}")
    asking.look("room")
    rooms.pass_time(seconds=60)
    asking.look("room")
    rooms.rooms["room"].participants[agent.participant_identity] = agent

    assert ([AGENT], None) == (dispatched(rooms), asking.look("room").again_in)


@pytest.mark.parametrize("agent_name", [AGENT, "concierge"])
def test_a_room_of_somebody_elses_is_never_touched(
    rooms: FakeLiveKit, looker: Looker, agent_name: str
) -> None:
    """No ticket, not in ATTEND_ROOMS: agents of whatever name come, double, leave and fail."""
    rooms.join("room", "bob")
    rooms.create_dispatch("room", AgentOrder(agent_name=agent_name))
    before = len(rooms.calls)
    for number in range(2):
        looker.look("room")
        agent = rooms.join_agent("room", agent_name, f"agent-{number}")
    looker.look("room")
    for number in range(2):
        rooms.leave("room", f"agent-{number}")
        looker.sightings.note("room", agent, is_here=False, now=rooms.now())
        looker.look("room")
        rooms.pass_time(seconds=30)

    assert {"list_participants", "list_rooms"} >= set(rooms.calls[before:])


def fail(rooms: FakeLiveKit, looker: Looker) -> None:
    """Let the agent come, and leave by itself 2.5 s later; a webhook tells."""
    agent = rooms.join_agent("room", AGENT)
    looker.look("room")
    rooms.pass_time(seconds=2.5)
    rooms.leave("room", agent.participant_identity)
    gone = replace(agent, has_left_by_itself=True)
    looker.sightings.note("room", gone, is_here=False, now=rooms.now())
    looker.look("room")


def follow(rooms: FakeLiveKit, lookers: Sequence[Looker], seconds: float) -> None:
    """Let processes look by turns, twice a second, while each agent that is sent fails."""
    ends_at = rooms.now() + timedelta(seconds=seconds)
    while rooms.now() < ends_at:
        for looker in lookers:
            sent = len(rooms.created)
            looker.look("room")
            if len(rooms.created) > sent:
                fail(rooms, looker)
        rooms.pass_time(seconds=0.5)


def test_agents_that_fail_come_back_later_each_time(rooms: FakeLiveKit) -> None:
    """Counted over all processes; 43 jobs were seen in two minutes."""
    lookers = [Looker(rooms, Locks(), SEALER, POLICY, unasked(rooms)) for _ in range(2)]
    join(rooms)

    follow(rooms, lookers, 120)
    after_two_minutes = len(dispatched(rooms))
    rooms.leave("room", "alice")
    join(rooms)
    lookers[0].look("room")

    assert 5 < after_two_minutes <= 9
    assert after_two_minutes + 1 == len(dispatched(rooms))


def test_a_room_that_goes_with_its_agent_is_not_made_anew(
    rooms: FakeLiveKit, looker: Looker
) -> None:
    """livekit-agents hangs up so: the agent leaves, and deletes the room a moment later."""
    join(rooms)
    looker.look("room")
    fail(rooms, looker)

    for _ in range(5):
        looker.look("room")
        rooms.pass_time(seconds=0.1)
    rooms.end_room("room")
    for _ in range(5):
        looker.look("room")
        rooms.pass_time(seconds=1)

    assert ([AGENT], {}) == (dispatched(rooms), rooms.rooms)


def test_a_process_that_nobody_told_waits_too_where_another_has_taken_the_dispatch_back(
    rooms: FakeLiveKit, looker: Looker
) -> None:
    """It finds no agent and nothing on its way, while the agent deletes its room."""
    other = Looker(rooms, Locks(), SEALER, POLICY, unasked(rooms))
    join(rooms)
    looker.look("room")
    rooms.join_agent("room", AGENT)
    other.look("room")
    rooms.pass_time(seconds=5)
    agent = rooms.rooms["room"].participants[f"agent-{AGENT}"]
    rooms.leave("room", f"agent-{AGENT}")
    gone = replace(agent, has_left_by_itself=True)
    looker.sightings.note("room", gone, is_here=False, now=rooms.now())
    looker.look("room")

    for _ in range(9):
        other.look("room")
        rooms.pass_time(seconds=0.1)
    sent_within_the_second = dispatched(rooms)
    rooms.pass_time(seconds=0.2)
    other.look("room")

    assert ([AGENT], [AGENT] * 2) == (sent_within_the_second, dispatched(rooms))


def test_for_a_released_human_nobody_is_sent_until_they_join_anew(
    rooms: FakeLiveKit, looker: Looker
) -> None:
    """Whichever process looks, however late: the mark is in LiveKit."""
    join(rooms)
    looker.look("room")
    rooms.join_agent("room", AGENT)
    mark = release_mark(SECRET, "room", "alice", AGENT)
    rooms.set_attributes("room", "alice", {release_attribute(AGENT): mark})
    rooms.leave("room", f"agent-{AGENT}")
    for process in (looker, Looker(rooms, Locks(), SEALER, POLICY, unasked(rooms))):
        for _ in range(20):
            process.look("room")
            rooms.pass_time(seconds=0.5)
    sent_while_released = dispatched(rooms)
    left = [d for d in rooms.rooms["room"].dispatches.values() if d.agent_name]

    join(rooms)
    looker.look("room")

    assert ([AGENT], [], [AGENT] * 2) == (sent_while_released, left, dispatched(rooms))


def test_a_phone_call_keeps_what_its_rule_has_told_the_agent(
    rooms: FakeLiveKit, looker: Looker
) -> None:
    """Also once LiveKit has lost the dispatch, and for a process that has never seen it."""
    rooms.join("phone-7", "sip_123")
    order = AgentOrder(agent_name="concierge", metadata="tenant 7")
    rooms.create_dispatch("phone-7", order)
    rooms.join_agent("phone-7", "concierge")
    looker.look("phone-7")
    rooms.leave("phone-7", "agent-concierge")
    rooms.rooms["phone-7"].dispatches.clear()

    Looker(rooms, Locks(), SEALER, POLICY, unasked(rooms)).look("phone-7")

    assert [("phone-7", order)] * 2 == rooms.created
