"""Which jobs a worker has taken, and what it tells LiveKit about that.

CPU plays no part: a busy second while a human joins must not lose that human's job.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from livekit.protocol.agent import Job

# livekit-server offers no job to workers whose load is `agents.target_load` or more
# (livekit-behaviour 23).
_TARGET_LOAD = 0.7
# A worker reports its load every 2.5 s, so one that says "full" is passed over for that long
# after it has room again, and a job is offered only once. A full worker therefore stays a hair
# below the limit, is asked last, and says no by itself, which is true at that very moment.
_LOAD_WHEN_FULL = 0.6999


class Capacity:
    """The jobs of one worker: running, or accepted and on their way to a process."""

    def __init__(self, max_jobs: int, running: Callable[[], Iterable[Job]]) -> None:
        self._max_jobs, self._running = max_jobs, running
        self._accepted: dict[str, Job] = {}  # by id

    def in_hand(self) -> list[Job]:
        """Return the jobs that have a place, each once while it passes into its process."""
        running = {job.id: job for job in self._running()}
        return [*(self._accepted | running).values()]

    @property
    def taken(self) -> int:
        """How many jobs have a place."""
        return len(self.in_hand())

    @property
    def is_full(self) -> bool:
        """Whether no further job may be accepted now."""
        return self.taken >= self._max_jobs

    def load(self) -> float:
        """Return what LiveKit balances workers by: 0 when idle, just below 0.7 when full."""
        return min(_TARGET_LOAD * self.taken / self._max_jobs, _LOAD_WHEN_FULL)

    @contextmanager
    def place_for(self, job: Job) -> Iterator[None]:
        """Hold a place from the acceptance of a job until its process runs it."""
        self._accepted[job.id] = job
        try:
            yield
        finally:
            self._accepted.pop(job.id, None)
