"""Two machines look at one room in the same moment, with Redis and without."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.fakes import FakeLiveKit
from tests.lives import unasked
from tests.machines import Machines
from tests.redis_server import RedisServer
from token_server.keeper.look_at_room import Looker
from token_server.keeper.wanted_agents import Policy
from token_server.livekit.port import AgentOrder, Dispatch
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer

SEALER = TicketSealer("a-made-up-secret-of-more-than-thirty-two-bytes")
ORDER = AgentOrder(agent_name="voice-agent")


class RacingLiveKit(FakeLiveKit):
    """A LiveKit that lets somebody else act between one's observation and one's act."""

    def __init__(self) -> None:
        super().__init__()
        self.before_create: list[Callable[[], object]] = []

    def create_dispatch(self, room_name: str, order: AgentOrder) -> Dispatch:
        """Create, after the others have had their turn."""
        if self.before_create:
            self.before_create.pop()()
        return super().create_dispatch(room_name, order)

    def dispatch_ids(self) -> Sequence[str]:
        """Return the dispatches of our agent."""
        return [
            dispatch.dispatch_id
            for dispatch in self.rooms["kitchen"].dispatches.values()
            if dispatch.agent_name == ORDER.agent_name
        ]


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that a test may kill."""
    with RedisServer(tmp_path) as running:
        yield running


@pytest.fixture
def rooms() -> RacingLiveKit:
    """A LiveKit with a human in the kitchen who waits for an agent."""
    made = RacingLiveKit()
    ticket = SEALER.seal(Ticket("kitchen", "alice", ORDER))
    made.join("kitchen", "alice", {TICKET_ATTRIBUTE: ticket})
    return made


@pytest.fixture
def lookers(tmp_path: Path, mortal: RedisServer, rooms: RacingLiveKit) -> Iterator[list[Looker]]:
    """The lookers of two machines."""
    policy = Policy(agent_names=(ORDER.agent_name,))
    with Machines(tmp_path, mortal.url) as machines:
        yield [
            Looker(rooms, machines.process(name), SEALER, policy, unasked(rooms))
            for name in ("a", "b")
        ]


def test_with_redis_the_second_machine_lets_the_first_act(
    rooms: RacingLiveKit, lookers: list[Looker]
) -> None:
    """Two job requests for one human are noise at best."""
    rooms.before_create.append(lambda: lookers[1].look("kitchen"))

    lookers[0].look("kitchen")

    assert (1, 1) == (len(rooms.created), len(rooms.dispatch_ids()))


def test_without_redis_a_second_dispatch_is_taken_back_by_the_same_look(
    rooms: RacingLiveKit, lookers: list[Looker], mortal: RedisServer
) -> None:
    """Locks decide nothing: LiveKit's list does, and it is the same for both."""
    mortal.kill()
    rooms.before_create.append(lambda: lookers[1].look("kitchen"))

    lookers[0].look("kitchen")

    assert (2, 1) == (len(rooms.created), len(rooms.dispatch_ids()))


def test_without_redis_a_second_agent_is_put_out(
    rooms: RacingLiveKit, lookers: list[Looker], mortal: RedisServer
) -> None:
    """Both jobs were quicker than both looks."""
    mortal.kill()
    first = rooms.join_agent("kitchen", ORDER.agent_name, "one")
    rooms.pass_time(seconds=0.1)
    rooms.join_agent("kitchen", ORDER.agent_name, "two")

    for looker in lookers:
        looker.look("kitchen")

    agents = [p for p in rooms.list_participants("kitchen") if p.agent_name == ORDER.agent_name]
    assert [first] == agents
