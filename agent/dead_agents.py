"""Puts out the agent of a process that has died.

The worker knows at once, LiveKit after 20 s (livekit-behaviour 47).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from livekit.agents.job import RunningJobInfo

from agent.background import start_task

logger = logging.getLogger(__name__)

_AT_THE_END_SECONDS = 2.0

PutOut = Callable[[str, str], Awaitable[None]]


class DeadAgents:
    """Takes agents whose processes have died out of their rooms.

    Args:
        put_out: Takes the participant of a room name and an identity out of it.
    """

    def __init__(self, put_out: PutOut) -> None:
        self._put_out = put_out
        self._leaving: set[asyncio.Task[None]] = set()

    def note_end(self, job: RunningJobInfo | None, exit_code: int | None) -> None:
        """Take notice of a process that has ended; one that ended in order has left its room."""
        if job is None or job.fake_job or exit_code == 0:
            return
        task = start_task(self._take_out(job), "putting a dead agent out")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def aclose(self) -> None:
        """Wait for those on their way out, for a moment."""
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=_AT_THE_END_SECONDS)

    async def _take_out(self, job: RunningJobInfo) -> None:
        # An identity belongs to one job alone: whoever has it is the dead one.
        room_name, identity = job.job.room.name, job.accept_arguments.identity
        await self._put_out(room_name, identity)
        about = {"room": room_name, "job_id": job.job.id, "participant": identity}
        logger.warning("the agent of a process that has died was put out", extra=about)
