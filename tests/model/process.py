"""One token server's keeper: its schedule, its looker and its sweeps, in virtual time.

The threads of keeper.py become actors; what these do is the same, line by line.
"""

from collections.abc import Callable
from functools import partial

from tests.model.actors import Actor, Actors, pause
from tests.model.clock import Clock
from tests.model.keepers import Parts
from tests.model.port import Port
from tests.model.room_locks import Locks, NotingLocks, WatchClaims
from token_server.errors import TokenServerError
from token_server.keeper import sweeping
from token_server.keeper.following import Awaited
from token_server.keeper.livekit_silence import News, Silence
from token_server.keeper.schedule import LOOKERS, Schedule
from token_server.keeper.sweeping import Sweeping
from token_server.livekit.port import Participant, ParticipantKind

# As in keeper.py; the contract between the two is short enough to be read.
_PEEKERS = 8
_SWEEP_AGAIN = 1.0


class Process:
    """One token server; a crash takes its memory and all that it was doing."""

    def __init__(self, clock: Clock, port: Port, locks: Locks, parts: Parts) -> None:
        self._clock, self._port, self._locks, self._parts = clock, port, locks, parts
        self._actors: list[Actor] = []
        self._life = 0
        port.on_death = self.crash
        self.start()

    def start(self) -> None:
        """Start with no memory, and sweep if nobody else does."""
        self.is_alive = True
        self._life += 1
        self._schedule, self._silence = Schedule(), Silence()
        # In no hurry, as where webhooks are known to work: the guarantee needs nothing else.
        self._sweeping = Sweeping()
        self._noting = NotingLocks(self._locks)
        self._lives = self._parts.build_watch(
            self._port.for_questions(),
            WatchClaims(self._locks, self),
            lambda: self._clock.now,
            lambda: Actors(self._begin),
        )
        self._looker = self._parts.build_looker(
            self._port, self._noting, self._lives, self._locks, lambda: self._clock.now
        )
        self._port.restart()
        self._looking = self._peeking = 0
        self._poke_due = float("inf")
        self._begin(self._sweep_on)
        self._begin(self._ask_on)

    def crash(self) -> None:
        """Die between two calls."""
        if self.is_alive:
            self._clock.tell("a token server dies")
            self._port.excuse()
        self.is_alive = False
        self._life += 1
        if self._locks.sweeper is self:
            self._locks.sweeper = None
        self._locks.forget(self)
        for actor in self._actors:
            actor.kill()
        self._actors.clear()

    def crash_after(self, calls: float) -> None:
        """Die after so many calls; half a call is one that was made and not answered."""
        self._port.calls_to_live = calls

    def follow(self, room_name: str, sealed_ticket: str, *, is_new: bool) -> None:
        """Keep an eye on a room whose token was fetched here; no webhooks are known to work.

        A new one was made here, without an agent.
        """
        if is_new:
            self._looker.room_made(room_name)
        awaited = Awaited(ticket=sealed_ticket, seconds=600, has_webhooks=lambda: False)
        self._schedule.follow(room_name, awaited, self._clock.now)
        self._poke_in(0)

    def participant_changed(
        self, room_name: str, participant: Participant, *, is_here: bool
    ) -> None:
        """Receive a webhook; one that comes while nobody is there is lost."""
        if not self.is_alive:
            return
        if participant.kind is ParticipantKind.AGENT:
            now = self._port.now()
            self._looker.sightings.note(room_name, participant, is_here=is_here, now=now)
            self._port.told(room_name, participant, is_here=is_here)
        self._schedule.look_now(room_name)
        self._poke_in(0)

    def _begin(self, work: Callable[[], None]) -> None:
        self._actors = [actor for actor in self._actors if not actor.is_done]
        self._actors.append(Actor(self._clock, work))

    def _poke_in(self, seconds: float) -> None:
        due, life = self._clock.now + seconds, self._life
        if due < self._poke_due:
            self._poke_due = due
            self._clock.after(seconds, lambda: self._poke(life, due))

    def _poke(self, life: int, due: float) -> None:
        """Hand out what is due to the threads that are free."""
        if life != self._life or due != self._poke_due:
            return
        self._poke_due = float("inf")
        while self._looking < LOOKERS and self._hand_out(self._schedule.take, self._look):
            self._looking += 1
        while self._peeking < _PEEKERS and self._hand_out(self._schedule.take_peek, self._peek):
            self._peeking += 1

    def _hand_out(
        self,
        take: Callable[[float], tuple[str | None, float | None]],
        work: Callable[[str], None],
    ) -> bool:
        room_name, wait = take(self._clock.now)
        if room_name is not None:
            self._begin(partial(work, room_name))
        elif wait is not None:
            self._poke_in(wait + 1e-6)
        return room_name is not None

    def _peek(self, room_name: str) -> None:
        try:
            is_empty = self._looker.peek(room_name)
        except TokenServerError:
            failures = self._schedule.fail_peek(room_name, self._clock.now)
            news = self._silence.look_failed(room_name, failures)
        else:
            self._schedule.peeked(room_name, self._clock.now, is_empty=is_empty)
            news = self._silence.looked(room_name)
        self._peeking -= 1
        self._heed(news)

    def _look(self, room_name: str) -> None:
        self._port.begin_look(room_name)
        try:
            looked = self._looker.look(room_name)
        except TokenServerError:
            failures = self._schedule.fail(room_name, self._clock.now)
            news = self._silence.look_failed(room_name, failures)
        else:
            self._port.end_look(room_name, looked.again_in, held=self._noting.held[room_name])
            self._lives.watch(room_name, looked.watched)
            self._schedule.finish(room_name, looked, self._clock.now)
            news = self._silence.looked(room_name)
        self._looking -= 1
        self._heed(news)

    def _heed(self, news: News) -> None:
        if news is News.BACK:
            self._schedule.forgive(self._clock.now, self._silence.failing_alone())
        self._poke_in(0)

    def _ask_on(self) -> None:
        while True:
            pause(self._lives.ask_due(self._found_dead))

    def _found_dead(self, room_name: str) -> None:
        self._schedule.look_now(room_name)
        self._poke_in(0)

    def _sweep_on(self) -> None:
        while True:
            wait = sweeping.EVERY
            if self._locks.sweeper in {None, self}:
                self._locks.sweeper = self
                wait = self._sweep()
            pause(wait)

    def _sweep(self) -> float:
        try:
            rooms = self._port.list_rooms()
        except TokenServerError:
            self._heed(self._silence.sweep_failed())
            return _SWEEP_AGAIN
        chosen = self._sweeping.choose(rooms, self._port.now(), took=0.0, has_webhooks=True)
        for number, room_name in enumerate(chosen.in_turn):
            self._schedule.look_at(room_name, self._clock.now + number * sweeping.PACE)
        self._heed(self._silence.swept())
        return chosen.pause
