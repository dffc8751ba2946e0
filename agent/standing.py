"""How this worker is: registered or not, with which jobs in hand. What it tells of itself."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from livekit.protocol.agent import Job

from agent.capacity import Capacity

_LONGEST_NAME, _LONGEST_ID = 256, 64  # the token server refuses a longer one


@dataclass(frozen=True)
class JobInHand:
    """A job that was accepted and has not ended."""

    dispatch_id: str
    room_name: str

    @classmethod
    def of(cls, job: Job) -> "JobInHand":
        """Return what is told of a job."""
        return cls(job.dispatch_id[:_LONGEST_ID], job.room.name[:_LONGEST_NAME])


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a worker is at one moment; without ages, so that a change is seen.

    Attributes:
        worker_id: LiveKit's; "" before the first registration.
        registered_at: Of the last registration (monotonic); None while it is not registered.
        calls: How many places are taken.
        is_draining: Whether it takes no more.
        jobs: What it has in hand.
        is_leaving: Whether it ends now.
    """

    worker_id: str = ""
    registered_at: float | None = None
    calls: int = 0
    is_draining: bool = False
    jobs: Sequence[JobInHand] = ()
    is_leaving: bool = False


class RegisteringWorker(Protocol):
    """What is asked of livekit-agents' AgentServer."""

    @property
    def draining(self) -> bool:
        """Whether it takes no more."""

    def on(self, event: Any, callback: Any) -> Any:  # noqa: ANN401 (the SDK's)
        """Call back at an event."""


class Standings:
    """Looks at a worker, and remembers what that one does not.

    Args:
        worker: The worker.
        capacity: Its places, and the jobs in them.
        is_connected: Whether it has its connection to LiveKit; it registers anew with each.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        worker: RegisteringWorker,
        capacity: Capacity,
        is_connected: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._worker, self._capacity = worker, capacity
        self._is_connected, self._clock = is_connected, clock
        self._worker_id, self._registered_at = "", 0.0
        worker.on("worker_registered", self._on_worker_registered)

    def now(self) -> Standing:
        """Return how it is."""
        is_registered = bool(self._worker_id) and self._is_connected()
        jobs = self._capacity.in_hand()
        return Standing(
            worker_id=self._worker_id,
            registered_at=self._registered_at if is_registered else None,
            calls=len(jobs),
            is_draining=self._worker.draining,
            jobs=tuple(map(JobInHand.of, jobs)),
        )

    def _on_worker_registered(self, worker_id: str, *_: object) -> None:
        self._worker_id, self._registered_at = worker_id[:_LONGEST_ID], self._clock()
