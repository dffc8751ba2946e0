"""What workers of ours tell: who is there, with which calls in hand, and what follows from it.

LiveKit lists no workers (livekit-behaviour 30), so ours tell it themselves. Whoever tells nothing
is unknown, never absent: workers of other makes, and all while nothing can be told. No I/O.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

# Seconds. A worker tells every 2 s, every 5 s while it is not heard; one that has not for so long
# is frozen, dead or cut off.
SILENT_AFTER = 6.0
# Seconds that one is kept after its last word, so that people see it.
FORGOTTEN_AFTER = 600.0
# Kept at a time; whoever was heard longest ago goes first.
MOST_WORKERS = 1_000
# Seconds that one reading is good for: a waiting human's room asks at each look.
_READ_EVERY = 0.2
# livekit-agents' names and LiveKit's ids are much shorter; a room's name has 256 bytes at most.
Name = Annotated[str, Field(max_length=256)]
Id = Annotated[str, Field(max_length=64)]


class _Told(BaseModel):
    """JSON without leniency in types; what a later version adds is passed over."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class JobInHand(_Told):
    """A job, from its acceptance until its end."""

    dispatch_id: Id
    room_name: Name


class Word(_Told):
    """What one worker says of itself.

    Attributes:
        process: Names the worker's process; LiveKit's worker_id is another after each reconnection.
        sequence: Rises with each word: an older one that comes late changes nothing.
        worker_id: LiveKit's; of the last registration, "" before the first.
        registered_for: Seconds since LiveKit has registered it; None while it is not registered. An
            age, since the clocks of machines differ.
        calls: How many it has, the accepted ones included.
        is_leaving: This is its last word.
    """

    process: str = Field(pattern="^[0-9a-f]{32}$", max_length=32)
    sequence: int = Field(ge=0, le=2**53)
    worker_id: Id
    agent_name: Name
    host: Name
    registered_for: float | None = Field(ge=0, le=1e9, allow_inf_nan=False)
    calls: int = Field(ge=0, le=1_000_000)
    max_calls: int = Field(ge=1, le=1_000_000)
    is_draining: bool
    is_leaving: bool
    jobs: tuple[JobInHand, ...] = Field(max_length=1_000)


class WorkerState(StrEnum):
    """How a worker is; what somebody has to see to comes first."""

    SILENT = "silent"
    UNREGISTERED = "unregistered"
    FULL = "full"
    DRAINING = "draining"
    BUSY = "busy"
    IDLE = "idle"


@dataclass(frozen=True)
class KnownWorker:
    """A worker's last word, and when it came: Unix seconds by our own clock."""

    word: Word
    heard_at: float

    @property
    def registered_at(self) -> float | None:
        """When LiveKit has registered it, by our own clock; None if it is not registered."""
        age = self.word.registered_for
        return None if age is None else self.heard_at - age

    def is_kept(self, now: float) -> bool:
        """Whether its last word is not too old to be of use to anybody."""
        return abs(now - self.heard_at) < FORGOTTEN_AFTER

    def lives(self, now: float) -> bool:
        """Whether it was heard lately. A clock that was set back makes nobody immortal."""
        return abs(now - self.heard_at) < SILENT_AFTER

    def has_room(self, now: float) -> bool:
        """Whether LiveKit may offer it a job that it takes."""
        return self.state(now) in {WorkerState.IDLE, WorkerState.BUSY}

    def state(self, now: float) -> WorkerState:
        """Say how it is, in one word: the first that is true."""
        if not self.lives(now):
            return WorkerState.SILENT
        if self.word.is_draining:
            return WorkerState.DRAINING
        if self.word.registered_for is None:
            return WorkerState.UNREGISTERED
        if self.word.calls >= self.word.max_calls:
            return WorkerState.FULL
        return WorkerState.BUSY if self.word.calls else WorkerState.IDLE


@dataclass(frozen=True)
class Told:
    """All that is known at one moment.

    Attributes:
        workers: Those that did not leave, the silent ones included.
        since: From when on whoever lives has been heard (Unix seconds): of an earlier time, or of
            the moments after it, some may be missing.
        now: The moment (Unix seconds).
    """

    workers: Sequence[KnownWorker]
    since: float
    now: float

    def hands(self, dispatch_id: str, agent_name: str) -> bool | None:
        """Tell whether a living worker of ours has this dispatch in hand.

        Returns:
            True: one has. False: living workers of this name tell, and none has it (words are up to
            a second on their way). None: nobody of this name tells, or not for long enough.
        """
        living = [each.word for each in self.workers if each.lives(self.now)]
        if any(job.dispatch_id == dispatch_id for word in living for job in word.jobs):
            return True
        return False if self._living(agent_name) and self._is_complete() else None

    def has_room(self, agent_name: str) -> bool | None:
        """Tell whether a living worker of this name has room; None as for `hands`."""
        living = self._living(agent_name)
        if any(worker.has_room(self.now) for worker in living):
            return True
        return False if living and self._is_complete() else None

    def has_silent(self, agent_name: str) -> bool:
        """Tell whether one of this name was not heard lately."""
        return any(w.word.agent_name == agent_name and not w.lives(self.now) for w in self.workers)

    def registered_ago(self, agent_name: str) -> float | None:
        """Return for how many seconds the latest of this name that lives has been registered."""
        found = [each.registered_at for each in self._living(agent_name)]
        return min((self.now - at for at in found if at is not None), default=None)

    def _living(self, agent_name: str) -> list[KnownWorker]:
        named = [each for each in self.workers if each.word.agent_name == agent_name]
        return [each for each in named if each.lives(self.now)]

    def _is_complete(self) -> bool:
        return self.now - self.since >= SILENT_AFTER


def those_to_show(workers: Iterable[KnownWorker | None], now: float) -> list[KnownWorker]:
    """Leave out those that have left, that are to be forgotten, or that could not be read."""
    return [each for each in workers if each and each.is_kept(now) and not each.word.is_leaving]


def becomes_free(before: KnownWorker | None, word: Word, now: float) -> bool:
    """Tell whether a word says that LiveKit may offer jobs that it could not offer before."""
    if word.is_leaving or not KnownWorker(word, now).has_room(now):
        return False
    had_room = before is not None and not before.word.is_leaving and before.has_room(now)
    return not had_room or before is None or before.word.worker_id != word.worker_id


def count_states(
    workers: Iterable[KnownWorker], agent_names: Iterable[str], now: float
) -> dict[tuple[str, str], int]:
    """Count the workers of each name in each state; 0 where there is none, of these names too."""
    found = Counter((each.word.agent_name, each.state(now)) for each in workers)
    names = {*agent_names, *(name for name, _ in found)}
    return {(name, state.value): found[name, state] for name in names for state in WorkerState}


class WorkerStore(Protocol):
    """Where last words are kept for all processes, for a time and up to a number."""

    def of(self, process: str, now: float) -> KnownWorker | None:
        """Return the last word of one process, if any is kept."""

    def put(self, word: Word, now: float, *, is_first: bool) -> None:
        """Keep a word; the first one after a time without any begins what is known anew."""

    def read(self, now: float) -> Told:
        """Return all that is kept of those that did not leave; nothing if it cannot be read."""


class WorkerBook:
    """What all workers of ours have told to any process. Thread-safe.

    All of it may be lost: then nothing is known until the workers have told it again.

    Args:
        store: What the processes share.
        clock: Our own, in Unix seconds.
        on_worker_free: Is called with an agent's name when a worker of that name is newly
            registered or has room again.
    """

    def __init__(
        self,
        store: WorkerStore,
        clock: Callable[[], float],
        on_worker_free: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store, self._clock, self._on_worker_free = store, clock, on_worker_free
        self._reading = Lock()
        self._told, self._read_at = Told((), 0.0, 0.0), float("-inf")

    def hear(self, word: Word) -> None:
        """Take a worker's word; an older one than the last is passed over."""
        now = self._clock()
        before = self._store.of(word.process, now)
        if before and before.word.sequence >= word.sequence:
            return
        is_first = not any(each.lives(now) for each in self._read(now).workers)
        self._store.put(word, now, is_first=is_first)
        self._read_at = float("-inf")
        if becomes_free(before, word, now):
            self._on_worker_free(word.agent_name)

    def told(self) -> Told:
        """Return what is known; up to a fifth of a second old, since each look asks."""
        now = self._clock()
        return replace(self._read(now), now=now)

    def workers(self) -> Sequence[KnownWorker]:
        """Return all workers that are known and did not leave."""
        return self.told().workers

    def _read(self, now: float) -> Told:
        with self._reading:
            if not 0 <= now - self._read_at < _READ_EVERY:
                self._told, self._read_at = self._store.read(now), now
            return self._told
