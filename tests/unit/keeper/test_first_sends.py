"""A look at a room to which nobody can have sent an agent yet: what it asks, and when not."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.fakes import FakeLiveKit
from tests.lives import unasked
from token_server.keeper.first_sends import MADE_WITHIN, FirstSends
from token_server.keeper.look_at_room import Looker
from token_server.keeper.wanted_agents import Policy
from token_server.livekit.port import AgentOrder
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer

SEALER = TicketSealer("a-made-up-secret-of-more-than-thirty-two-bytes")
ORDER = AgentOrder(agent_name="voice-agent")
FIRST_LOOK = ["list_participants", "create_dispatch"]


class Machine:
    """What the processes of one machine share: a lock, and notes that a full disk can lose."""

    def __init__(self) -> None:
        self.now, self.is_free, self.can_note = 100.0, True, True
        self._sent_at: dict[str, float] = {}

    @contextmanager
    def hold_room(self, room_name: str) -> Iterator[bool]:
        """Hold it, if nobody else does."""
        del room_name
        yield self.is_free

    def note_sending(self, room_name: str) -> float:
        """Note it, and say how long ago the last one was."""
        before = self._sent_at.get(room_name, float("-inf"))
        self._sent_at[room_name] = self.now
        return self.now - before if self.can_note else 0.0

    def note_ending(self, room_name: str) -> None:
        """Note it as a sending."""
        self.note_sending(room_name)


class Scene:
    """A LiveKit, and the processes of one machine."""

    def __init__(self) -> None:
        self.livekit, self.machine = FakeLiveKit(), Machine()

    def process(self) -> Looker:
        """Start another process."""
        return Looker(
            self.livekit,
            self.machine,
            SEALER,
            Policy(agent_names=(ORDER.agent_name,)),
            unasked(self.livekit),
            first_sends=FirstSends(self.machine, lambda: self.machine.now),
        )

    def pass_time(self, seconds: float) -> None:
        """Let time pass for all."""
        self.machine.now += seconds
        self.livekit.pass_time(seconds=seconds)

    def join(self) -> None:
        """Let a human come."""
        self.livekit.join("room", "alice", {TICKET_ATTRIBUTE: ticket()})

    def asked_by(self, process: Looker) -> list[str]:
        """Return what a look asks LiveKit."""
        self.livekit.calls.clear()
        process.look("room")
        return list(self.livekit.calls)


def ticket() -> str:
    """What alice's token carries."""
    return SEALER.seal(Ticket("room", "alice", ORDER))


@pytest.fixture
def scene() -> Scene:
    """A room without anybody in it."""
    made = Scene()
    made.livekit.join("room", "nobody")
    made.livekit.leave("room", "nobody")
    return made


@pytest.fixture
def maker(scene: Scene) -> Looker:
    """The process that has just made the room, and has seen that nobody is there yet."""
    process = scene.process()
    process.room_made("room")
    scene.pass_time(0.5)
    assert process.peek("room")
    scene.pass_time(0.1)
    return process


def test_the_first_dispatch_of_a_room_is_made_without_asking_for_others(
    scene: Scene, maker: Looker
) -> None:
    """A round trip less between a human and their agent."""
    scene.join()

    assert FIRST_LOOK == scene.asked_by(maker)


def test_a_room_that_has_ended_since_is_asked_for_its_dispatches(
    scene: Scene, maker: Looker
) -> None:
    """Its human's own token has made it anew, with an agent on its way."""
    scene.process().room_ended("room")
    scene.join()

    assert FIRST_LOOK != scene.asked_by(maker)


def test_the_next_look_sees_whether_it_is_the_only_one(scene: Scene, maker: Looker) -> None:
    """Another machine may have sent an agent in the same moment: the younger is taken back."""
    scene.join()
    again_in = maker.look("room").again_in
    scene.livekit.create_dispatch("room", ORDER)
    scene.pass_time(0.3)

    maker.look("room")

    ours = [d for d in scene.livekit.list_dispatches("room") if d.agent_name]
    assert (0.3, 1) == (again_in, len(ours))


def test_what_was_sent_for_a_human_who_has_left_is_taken_back(scene: Scene, maker: Looker) -> None:
    """An agent would sit in the room alone."""
    scene.join()
    maker.look("room")
    scene.livekit.leave("room", "alice")

    maker.look("room")

    assert [""] == [d.agent_name for d in scene.livekit.list_dispatches("room")]


def test_who_has_not_made_the_room_asks(scene: Scene) -> None:
    """Somebody else may have ordered an agent with it."""
    process = scene.process()
    process.peek("room")
    scene.join()

    assert "list_dispatches" in scene.asked_by(process)


def test_who_has_not_seen_for_a_while_that_nobody_is_there_asks(
    scene: Scene, maker: Looker
) -> None:
    """Another machine may have heard of the human long before."""
    scene.pass_time(0.5)
    scene.join()

    assert "list_dispatches" in scene.asked_by(maker)


def test_who_has_made_the_room_a_while_ago_asks(scene: Scene, maker: Looker) -> None:
    """It may have ended, and its human's own token has made it anew, with an agent."""
    scene.pass_time(MADE_WITHIN)
    maker.peek("room")
    scene.join()

    assert "list_dispatches" in scene.asked_by(maker)


def test_where_another_process_has_sent_an_agent_it_is_asked(scene: Scene, maker: Looker) -> None:
    """LiveKit's webhook reaches any process of the machine."""
    scene.join()
    scene.process().look("room")

    assert (True, 1) == ("list_dispatches" in scene.asked_by(maker), len(scene.livekit.created))


def test_where_nothing_can_be_noted_it_is_asked(scene: Scene, maker: Looker) -> None:
    """A full disk must not cost a human two agents."""
    scene.machine.can_note = False
    scene.join()

    assert "list_dispatches" in scene.asked_by(maker)


def test_whoever_does_not_hold_the_room_sends_nobody(scene: Scene, maker: Looker) -> None:
    """Who holds it decides the same."""
    scene.machine.is_free = False
    scene.join()

    assert "create_dispatch" not in scene.asked_by(maker)
    scene.machine.is_free = True
    assert FIRST_LOOK == scene.asked_by(maker)


def test_where_an_agent_is_there_already_nobody_is_sent(scene: Scene, maker: Looker) -> None:
    """Somebody else has sent it."""
    scene.join()
    scene.livekit.join_agent("room", ORDER.agent_name)

    assert ["list_participants"] == scene.asked_by(maker)


def test_where_somebody_elses_backend_has_sent_an_agent_ours_is_taken_back(
    scene: Scene, maker: Looker
) -> None:
    """As one that made its own dispatches before it had a token server."""
    theirs = scene.livekit.create_dispatch("room", ORDER)
    scene.pass_time(1.5)
    maker.peek("room")
    scene.join()
    maker.look("room")
    scene.pass_time(0.3)

    maker.look("room")

    sent = [d.dispatch_id for d in scene.livekit.list_dispatches("room") if d.agent_name]
    assert [theirs.dispatch_id] == sent


def test_what_was_sent_for_a_human_who_has_left_is_taken_back_once_the_room_is_free(
    scene: Scene, maker: Looker
) -> None:
    """Whoever looks at it because they have left does not know whose it is."""
    scene.join()
    maker.look("room")
    scene.livekit.leave("room", "alice")
    scene.machine.is_free = False
    maker.look("room")
    scene.machine.is_free = True

    maker.look("room")

    assert [""] == [d.agent_name for d in scene.livekit.list_dispatches("room")]
