"""Histories: everything that people, workers, networks and operators may do, in any order."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.model.jobs import Manner
from tests.model.keepers import AGENT, Parts
from tests.model.network import Fault, Lie
from tests.model.scene import PROCESSES, ROOMS, Post, Scene
from tests.model.workers import SLOWEST
from token_server.livekit.port import AgentOrder

rooms = st.sampled_from(ROOMS)
humans = st.sampled_from(("alice", "bob"))
servers = st.integers(0, PROCESSES - 1)
manners = st.builds(Manner, st.booleans(), st.booleans(), st.booleans())


class Histories(RuleBasedStateMachine):
    """One history, until all faults end and the guarantee is due."""

    parts: Parts

    @initialize(
        seed=st.integers(0, 2**32),
        manner=manners,
        slowest=st.sampled_from((0.02, 0.5)),
        pace=st.sampled_from((0.3, 2.0, SLOWEST)),
        comes_after=st.sampled_from((0.0, 0.12, 0.5)),
    )
    def begin(
        self, seed: int, manner: Manner, slowest: float, pace: float, comes_after: float
    ) -> None:
        """Begin with a human who has just joined: most of what can go wrong begins so."""
        self.scene = Scene(seed, manner, self.parts)
        self.change_network(is_down=False, slowest=slowest)
        self.change_pace(fastest=0.3, slowest=pace, lag=0.0)
        self.fetch_token(ROOMS[0], "alice", 0, is_ordered=False)
        self.pass_time(comes_after)
        self.join(ROOMS[0], "alice", has_ticket=True)

    @rule(room_name=rooms, identity=humans, number=servers, is_ordered=st.booleans())
    def fetch_token(self, room_name: str, identity: str, number: int, *, is_ordered: bool) -> None:
        self.scene.fetch_token(room_name, identity, number, is_ordered=is_ordered)

    @rule(room_name=rooms, identity=humans, has_ticket=st.booleans())
    def join(self, room_name: str, identity: str, *, has_ticket: bool) -> None:
        self.scene.join(room_name, identity, has_ticket=has_ticket)

    @rule(
        room_name=rooms,
        identity=humans,
        number=servers,
        seconds=st.sampled_from((0.06, 0.3, 1.0)),
    )
    def come_to_a_new_room(
        self, room_name: str, identity: str, number: int, seconds: float
    ) -> None:
        self.scene.world.end(room_name)
        self.scene.fetch_token(room_name, identity, number, is_ordered=False)
        self.scene.clock.run_for(seconds)
        self.scene.join(room_name, identity, has_ticket=True)

    @rule(room_name=rooms, identity=humans)
    def leave(self, room_name: str, identity: str) -> None:
        self.scene.leave(room_name, identity)

    @rule(room_name=rooms, identity=humans, seconds=st.sampled_from((0.2, 1.5, 3.0)))
    def reload(self, room_name: str, identity: str, seconds: float) -> None:
        self.scene.leave(room_name, identity)
        self.scene.clock.run_for(seconds)
        self.scene.join(room_name, identity, has_ticket=True)

    @rule(room_name=rooms)
    def end_room(self, room_name: str) -> None:
        self.scene.world.end(room_name)

    @rule(room_name=rooms, is_sudden=st.booleans())
    def lose_agent(self, room_name: str, *, is_sudden: bool) -> None:
        workers = self.scene.workers
        for agent in self.scene.agents(room_name)[:1]:
            (workers.kill if is_sudden else workers.give_up)(agent, room_name)

    @rule(room_name=rooms, identity=st.none() | humans)
    def release(self, room_name: str, identity: str | None) -> None:
        if identity is None:
            self.scene.hang_ups.take_over(room_name)
        else:
            self.scene.hang_ups.release(room_name, identity)

    @rule(
        room_name=rooms,
        releases=st.booleans(),
        deletes_in=st.none() | st.sampled_from((0.0, 0.3, 0.6)),
    )
    def hang_up(self, room_name: str, *, releases: bool, deletes_in: float | None) -> None:
        self.scene.hang_ups.hang_up(room_name, releases=releases, deletes_in=deletes_in)

    @rule(lives_for=st.none() | st.sampled_from((0.0, 1.0, 3.0)), do_refuse=st.booleans())
    def change_fate(self, lives_for: float | None, *, do_refuse: bool) -> None:
        workers = self.scene.workers
        workers.lives_for, workers.do_refuse = lives_for, do_refuse

    @rule(room_name=rooms, what=st.sampled_from(("freeze", "hang", "haunt")))
    def strike_agent(self, room_name: str, what: str) -> None:
        workers = self.scene.workers
        for agent in self.scene.agents(room_name)[:1]:
            if what == "freeze":
                workers.freeze(agent, room_name)
            elif what == "hang":
                workers.hang(agent)
            else:
                workers.haunt(agent)

    @rule()
    def thaw(self) -> None:
        self.scene.workers.thaw()

    @rule(do_lose=st.booleans())
    def lose_questions(self, *, do_lose: bool) -> None:
        self.scene.workers.vitals.lose_probes = do_lose

    @rule(room_name=rooms, lie=st.sampled_from(Lie))
    def lie(self, room_name: str, lie: Lie) -> None:
        self.scene.network.lies[room_name] = lie

    @rule()
    def lose_jobs_on_their_way(self) -> None:
        self.scene.workers.lose_job()

    @rule(are_free=st.booleans(), haunted=st.booleans())
    def change_workers(self, *, are_free: bool, haunted: bool) -> None:
        self.scene.workers.are_free, self.scene.workers.haunted = are_free, haunted

    @rule(
        fastest=st.sampled_from((0.3, 2.0, 9.0)),
        slowest=st.sampled_from((1.0, SLOWEST)),
        lag=st.sampled_from((0.0, 5.0)),
    )
    def change_pace(self, fastest: float, slowest: float, lag: float) -> None:
        workers = self.scene.workers
        workers.fastest, workers.slowest = fastest, max(fastest, slowest)
        workers.longest_lag = lag

    @rule(faults=st.lists(st.none() | st.sampled_from(Fault), min_size=1, max_size=6))
    def calls_fail(self, faults: list[Fault | None]) -> None:
        self.scene.network.faults.extend(faults)

    @rule(is_down=st.booleans(), slowest=st.sampled_from((0.02, 0.5)))
    def change_network(self, *, is_down: bool, slowest: float) -> None:
        self.scene.network.is_down, self.scene.network.slowest = is_down, slowest

    @rule(post=st.sampled_from(Post))
    def change_post(self, post: Post) -> None:
        self.scene.post = post

    @rule(do_work=st.booleans())
    def change_locks(self, *, do_work: bool) -> None:
        self.scene.locks.do_work = do_work
        self.scene.world.is_disturbed |= not do_work

    @rule(
        call=st.sampled_from(("create", "delete", "list_participants", "list_dispatches")),
        what=st.sampled_from(
            ("leave", "end room", "join", "lose agent", "send another", "release", "hang up")
        ),
        room_name=rooms,
        identity=humans,
    )
    def surprise(self, call: str, what: str, room_name: str, identity: str) -> None:
        acts = {
            "leave": lambda: self.leave(room_name, identity),
            "end room": lambda: self.end_room(room_name),
            "join": lambda: self.join(room_name, identity, has_ticket=True),
            "lose agent": lambda: self.lose_agent(room_name, is_sudden=False),
            "release": lambda: self.release(room_name, identity),
            "hang up": lambda: self.hang_up(room_name, releases=False, deletes_in=0.3),
            "send another": lambda: self.send_another(room_name),
        }
        self.scene.network.surprises[call] = acts[what]

    @rule(room_name=rooms)
    def send_another(self, room_name: str) -> None:
        self.scene.world.is_disturbed = True
        if room_name in self.scene.world.rooms:
            sent = self.scene.world.dispatch(room_name, AgentOrder(agent_name=AGENT))
            self.scene.world.foreign.add(sent.dispatch_id)

    @rule(number=servers, calls=st.integers(0, 8))
    def crash(self, number: int, calls: int) -> None:
        self.scene.world.is_disturbed = True
        self.scene.processes[number].crash_after(calls / 2)

    @rule(number=servers)
    def start(self, number: int) -> None:
        if not self.scene.processes[number].is_alive:
            self.scene.processes[number].start()

    @rule(seconds=st.sampled_from((0.01, 0.1, 0.5, 1.0, 3.0, 7.0, 25.0)))
    def pass_time(self, seconds: float) -> None:
        self.scene.clock.run_for(seconds)

    def teardown(self) -> None:
        # What comes after a broken promise says nothing.
        if hasattr(self, "scene") and not self.scene.clock.is_broken:
            self.scene.end_faults()
            self.scene.judge()
