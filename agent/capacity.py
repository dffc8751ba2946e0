"""How many jobs a worker has taken, and what it tells LiveKit about that.

CPU plays no part: a busy second while a human joins must not lose that human's job.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

# livekit-server offers no job to workers whose load is `agents.target_load` or more
# (livekit-behaviour 23).
_TARGET_LOAD = 0.7
# A worker reports its load every 2.5 s, so one that says "full" is passed over for that long
# after it has room again, and a job is offered only once. A full worker therefore stays a hair
# below the limit, is asked last, and says no by itself, which is true at that very moment.
_LOAD_WHEN_FULL = 0.6999


class Capacity:
    """The jobs of one worker: running, or accepted and on their way to a process."""

    def __init__(self, max_jobs: int, running_job_ids: Callable[[], Iterable[str]]) -> None:
        self._max_jobs = max_jobs
        self._running_job_ids = running_job_ids
        self._accepted_job_ids: set[str] = set()

    @property
    def taken(self) -> int:
        """How many jobs have a place, each counted once while it passes into its process."""
        return len(self._accepted_job_ids | set(self._running_job_ids()))

    @property
    def is_full(self) -> bool:
        """Whether no further job may be accepted now."""
        return self.taken >= self._max_jobs

    def load(self) -> float:
        """Return what LiveKit balances workers by: 0 when idle, just below 0.7 when full."""
        return min(_TARGET_LOAD * self.taken / self._max_jobs, _LOAD_WHEN_FULL)

    @contextmanager
    def place_for(self, job_id: str) -> Iterator[None]:
        """Hold a place from the acceptance of a job until its process runs it."""
        self._accepted_job_ids.add(job_id)
        try:
            yield
        finally:
            self._accepted_job_ids.discard(job_id)
