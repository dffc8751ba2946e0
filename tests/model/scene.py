"""Everything together: a LiveKit, its workers, three token servers and the humans."""

from enum import Enum
from functools import partial
from random import Random

from tests.model.clock import Clock
from tests.model.hang_ups import HangUps
from tests.model.jobs import Manner
from tests.model.keepers import AGENT, PHONE_ROOM, SEALER, Parts
from tests.model.look import is_released, waiting
from tests.model.meant_ends import failures_told, pause_after
from tests.model.network import Network
from tests.model.port import Port
from tests.model.process import Process
from tests.model.room_locks import Locks
from tests.model.workers import SLOWEST, Workers
from tests.model.world import LiveRoom, World
from token_server.livekit.port import AgentOrder, Participant
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket

ROOMS = ("alpha", PHONE_ROOM)
PROCESSES = 3

# Seconds in which every waiting human is attended once all faults have ended, with no webhook:
# found by ListRooms' count (5) and the sweep (5); a job that was lost just before is given 60,
# where the human had waited long by then;
# the next takes 10 at most, may be put out with the one before it (3, by identity), which the
# sweep finds (5); and the last takes 10 again. An agent that does not live costs no more than that:
# who was struck just before is found dead within 20, and a ghost of a crashed node as well.
BOUND = 100.0
# Then nothing changes any more for so long.
CALM = 20.0
# Where nothing happens for so long from this time on, nothing more will: by its end the last late
# webhook has come (30), and LiveKit has missed the last agent (20).
_STILL_FROM = 12.0


class Post(Enum):
    """What becomes of webhooks."""

    PROMPT = "prompt"
    LOST = "lost"
    LATE = "late, and so in any order"
    DOUBLED = "twice, to two token servers"


class Scene:
    """One history's world, and what may befall it."""

    def __init__(self, seed: int, manner: Manner, parts: Parts) -> None:
        self.clock, self.chance = Clock(), Random(seed)  # noqa: S311 (a game, no secret)
        self.world = World(self.clock, self.chance)
        self.workers = Workers(self.world, manner)
        self.hang_ups = HangUps(self.world, self.workers)
        self.network, self.locks, self.post = Network(), Locks(self.clock), Post.PROMPT
        self.processes = [
            Process(self.clock, self._port(f"server {number}"), self.locks, parts)
            for number in range(PROCESSES)
        ]
        self._tickets: dict[tuple[str, str], str] = {}  # the last that each human was given
        self.world.on_changed.append(self._post_webhook)

    def _port(self, name: str) -> Port:
        return Port(self.world, self.workers, self.network, name)

    def fetch_token(self, room_name: str, identity: str, number: int, *, is_ordered: bool) -> None:
        """Ask a token server for a token; with AGENT_DISPATCH=token a new room has its agent."""
        process = self.processes[number]
        if process.is_alive:
            agents = (AgentOrder(agent_name=AGENT),) if is_ordered else ()
            is_new = room_name not in self.world.rooms and not is_ordered
            self.world.live_room(room_name, agents)
            ticket = self._tickets[room_name, identity] = seal(room_name, identity)
            process.follow(room_name, ticket, is_new=is_new)

    def join(self, room_name: str, identity: str, *, has_ticket: bool) -> None:
        """Let a human join with their last token, or one from elsewhere; it names the agent too."""
        agents = (AgentOrder(agent_name=AGENT),) if has_ticket else ()
        self.world.live_room(room_name, agents)
        ticket = self._tickets.get((room_name, identity)) or seal(room_name, identity)
        attributes = {TICKET_ATTRIBUTE: ticket} if has_ticket else {}
        self.world.join(room_name, identity, attributes)

    def leave(self, room_name: str, identity: str) -> None:
        """Let a human leave."""
        found = self.world.rooms.get(room_name)
        if found and (there := found.participants.get(identity)):
            self.world.leave(room_name, there)

    def agents(self, room_name: str) -> list[Participant]:
        """Return the agents in a room."""
        found = self.world.rooms.get(room_name)
        return found.agents(AGENT) if found else []

    def end_faults(self) -> None:
        """From now on everything works; but webhooks are not needed, so there are none."""
        self.clock.tell("all faults end")
        self.network.faults.clear()
        self.network.surprises.clear()
        self.network.lies.clear()
        self.workers.haunted = self.workers.vitals.lose_probes = False
        self.network.is_down, self.network.slowest = False, 0.02
        self.workers.are_free, self.workers.slowest = True, SLOWEST
        self.workers.do_refuse, self.workers.lives_for = False, None
        self.locks.do_work, self.post = True, Post.LOST
        for process in self.processes:
            process.crash_after(float("inf"))
            if not process.is_alive:
                process.start()

    def judge(self) -> None:
        """Hold the world against the guarantee, in bounded time from now and then on.

        Most histories are calm long before the bound: these are told no further.
        """
        end = self.clock.now + BOUND + self._longest_pause()
        self.clock.run_for(_STILL_FROM)
        while self.clock.now + CALM <= end:
            if not self._broken_in_a_calm():
                return
        self.clock.run_for(end - self.clock.now)
        broken = self._broken()
        self.clock.require(f"in bounded time {broken}", kept=not broken)
        joined = self.world.agents_joined
        broken = self._broken_in_a_calm(may_happen=True)
        self.clock.require(f"then on {broken}", kept=not broken)
        self.clock.require("no other agent comes", kept=joined == self.world.agents_joined)

    def _longest_pause(self) -> float:
        """Return for how long the next agent may be paused for, after one or two more failures."""
        humans = [human for found in self.world.rooms.values() for human in waiting(found)]
        return pause_after(max((failures_told(human)[0] for human in humans), default=0) + 2)

    def _broken_in_a_calm(self, *, may_happen: bool = False) -> str:
        """Let time pass, and say what it shows that must not be in a calm."""
        calls, told, broken = self.network.calls.total(), len(self.clock.history), self._broken()
        self.clock.run_for(CALM)
        is_still = may_happen or told == len(self.clock.history)
        calls = self.network.calls.total() - calls
        return (
            broken
            or self._broken()
            or ("" if is_still else "nothing happens")
            or ("" if calls <= self._most_calls() else f"{calls} calls are too many")
        )

    def _most_calls(self) -> float:
        """Return what a calm may cost: one sweep in 5 s, a look of 3 calls for it, and the follows.

        A room whose token is not used yet is followed by every server it was fetched from, every
        five seconds in the end.
        """
        sweeps = CALM / 5 + 1
        return sweeps * (1 + 3 * len(ROOMS) * (1 + PROCESSES))

    def _broken(self) -> str:
        """Say what is not as it has to be; "" if all is well."""
        broken = (self._broken_for(found) for found in self.world.rooms.values())
        return next(filter(None, broken), "")

    def _broken_for(self, found: LiveRoom) -> str:
        if not waiting(found) and any(is_released(found.room.room_name, h) for h in found.humans()):
            return self._broken_for_released(found)
        if waiting(found):
            agents = self.workers.vitals.without_ghosts(found.agents(AGENT))
            if len(agents) != 1 or not self.workers.vitals.lives(agents[0]):
                return "every human is attended"
            left = [d for d in found.dispatches.values() if self.workers.is_surplus(d, agents[0])]
            if left and not self.world.is_disturbed:
                return "nothing is left beside the agent that came"
        is_guarded = found.room.room_sid not in self.world.unguarded
        run = self.workers.run_of(found.made_by_dispatch) if is_guarded else None
        is_alone = bool(run and run.participant) and not found.humans()
        return f"{found.room.room_name} is not kept for an agent alone" if is_alone else ""

    def _broken_for_released(self, found: LiveRoom) -> str:
        agents = found.agents(AGENT)
        if len(self.workers.living(agents)) > 1:
            return "one agent at most is with a human who was released"
        ours = [d for d in found.dispatches.values() if d.agent_name == AGENT]
        if not agents and ours:
            return "what stood for a human who was released is taken back"
        left = [d for d in ours if self.workers.is_surplus(d, agents[0])] if agents else []
        is_left = bool(left) and not self.world.is_disturbed
        return "nothing is left beside the agent of a released human" if is_left else ""

    def _post_webhook(self, room_name: str, participant: Participant, *, is_here: bool) -> None:
        """Send a webhook to whichever token server LiveKit reaches."""
        for _ in range({Post.LOST: 0, Post.DOUBLED: 2}.get(self.post, 1)):
            delay = self.chance.uniform(0, 30.0 if self.post is Post.LATE else 0.2)
            process = self.chance.choice(self.processes)
            arrive = partial(process.participant_changed, room_name, participant, is_here=is_here)
            self.clock.after(delay, arrive)


def seal(room_name: str, identity: str) -> str:
    """Return the ticket in this human's token."""
    return SEALER.seal(Ticket(room_name, identity, AgentOrder(agent_name=AGENT)))
