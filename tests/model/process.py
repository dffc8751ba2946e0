"""One token server's keeper: its schedule, its looker and its sweeps, in virtual time.

The threads of keeper.py become actors; what these do is the same, line by line.
"""

from collections.abc import Callable
from functools import partial

from tests.model.actors import Actor, Actors, pause
from tests.model.clock import Clock
from tests.model.keepers import Parts
from tests.model.port import Port
from tests.model.room_locks import Locks, Meeting, NotingLocks
from token_server.errors import TokenServerError
from token_server.keeper import sweeping
from token_server.keeper.following import Awaited, Due
from token_server.keeper.livekit_silence import News, Silence
from token_server.keeper.schedule import LOOKERS, Schedule
from token_server.keeper.sweep_loop import SweepLoop
from token_server.livekit.pace import Purpose
from token_server.livekit.port import Participant, ParticipantKind

# As in keeper.py; the contract between the two is short enough to be read.
_PEEKERS = 8
_SWEEP_AGAIN = 1.0
_BEAT_EVERY = 0.5


class Process:
    """One token server; a crash takes its memory and all that it was doing."""

    def __init__(self, clock: Clock, port: Port, locks: Locks, parts: Parts) -> None:
        self._clock, self._port, self._locks, self._parts = clock, port, locks, parts
        self._actors: list[Actor] = []
        self._life = 0
        port.on_death = self.crash
        self.start()

    def start(self) -> None:
        """Start with no memory."""
        self.is_alive = True
        self._life += 1
        self._frozen_until = 0.0
        self._schedule, self._silence = Schedule(), Silence()
        self._noting = NotingLocks(self._locks)
        self._lives = self._parts.build_watch(
            self._port.for_questions(),
            lambda: self._clock.now,
            lambda: Actors(self._begin),
        )
        self._looker = self._parts.build_looker(
            self._port, self._noting, self._lives, self._locks, lambda: self._clock.now
        )
        # In no hurry, as where webhooks are known to work: the guarantee needs nothing else.
        self.sweeps = SweepLoop(
            self._port,
            Meeting(self._locks, self._clock, f"{self._port.name}, life {self._life}"),
            self,
            self._lives,
            has_webhooks=lambda: True,
            clock=lambda: self._clock.now,
        )
        self._port.restart()
        self._looking = self._peeking = 0
        self._poke_due = float("inf")
        self._begin(self._beat_on)
        self._begin(self._sweep_on)
        self._begin(self._ask_on)

    def crash(self) -> None:
        """Die between two calls."""
        if self.is_alive:
            self._clock.tell("a token server dies")
            self._port.excuse()
        self.is_alive = False
        self._life += 1
        for actor in self._actors:
            actor.kill()
        self._actors.clear()

    @property
    def is_frozen(self) -> bool:
        """Whether it stands still."""
        return self._clock.now < self._frozen_until

    def freeze(self, seconds: float) -> None:
        """Stand still for so long, and go on as if nothing had been."""
        self._frozen_until = self._clock.now + seconds

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
        self._actors.append(Actor(self._clock, work, lambda: self._frozen_until))

    def _poke_in(self, seconds: float) -> None:
        due, life = self._clock.now + seconds, self._life
        if due < self._poke_due:
            self._poke_due = due
            self._clock.after(seconds, lambda: self._poke(life, due))

    def _poke(self, life: int, due: float) -> None:
        """Hand out what is due to the threads that are free."""
        if life != self._life or due != self._poke_due:
            return
        if self.is_frozen:
            self._clock.after(self._frozen_until - self._clock.now, lambda: self._poke(life, due))
            return
        self._poke_due = float("inf")
        while self._looking < LOOKERS and self._hand_out(self._schedule.take, self._look):
            self._looking += 1
        if len(self._schedule.following):
            self._hand_out_peeks()

    def _hand_out_peeks(self) -> None:
        while self._peeking < _PEEKERS and self._hand_out(self._schedule.take_peek, self._peek):
            self._peeking += 1

    def _hand_out(
        self,
        take: Callable[[float], tuple[Due | None, float | None]],
        work: Callable[[str], None],
    ) -> bool:
        due, wait = take(self._clock.now)
        if due is not None:
            self._begin(partial(work, due.room_name))
        elif wait is not None:
            self._poke_in(wait + 1e-6)
        return due is not None

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
            self.sweeps.look_failed(room_name)
            failures = self._schedule.fail(room_name, self._clock.now)
            news = self._silence.look_failed(room_name, failures)
        else:
            self._port.end_look(room_name, looked.again_in, held=self._noting.held[room_name])
            self.sweeps.looked(room_name, looked.view.watched, has_human=looked.view.has_human)
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
            pause(self._lives.ask_due(self.look_now))

    def look_now(self, room_name: str) -> None:
        """Look at a room as soon as a thread is free."""
        self._schedule.look_now(room_name)
        self._poke_in(0)

    def look_in(self, room_name: str, seconds: float, purpose: Purpose) -> None:
        """Look at a room by then."""
        self._schedule.look_at(room_name, self._clock.now + seconds, purpose)
        self._poke_in(seconds)

    def _beat_on(self) -> None:
        while True:
            self.sweeps.beat()
            pause(_BEAT_EVERY)

    def _sweep_on(self) -> None:
        while True:
            pause(self._sweep())

    def _sweep(self) -> float:
        try:
            has_listed = self.sweeps.list_if_due()
        except TokenServerError:
            self._heed(self._silence.sweep_failed())
            return _SWEEP_AGAIN
        if has_listed:
            self._heed(self._silence.swept())
        self.sweeps.choose()
        return sweeping.TICK
