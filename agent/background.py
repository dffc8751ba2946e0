"""Tasks that run beside a job: one that fails is logged at once, and somebody is told.

asyncio alone keeps the exception of a task that nobody awaits until the process ends, and may lose
a task that nobody has.
"""

import asyncio
import functools
import logging
from collections.abc import Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)
_running: set[asyncio.Task[None]] = set()


def start_task(
    work: Coroutine[Any, Any, None], name: str, on_failure: Callable[[str], None] = lambda _: None
) -> asyncio.Task[None]:
    """Start some work; an exception is logged with its traceback, then `on_failure` is called.

    Args:
        work: What to do. To be cancelled is no failure.
        name: What it is, for the log and for `on_failure`.
        on_failure: Called with a reason such as "the greeting has failed".
    """
    task = asyncio.create_task(work, name=name)
    _running.add(task)
    task.add_done_callback(_running.discard)
    task.add_done_callback(functools.partial(_report, on_failure=on_failure))
    return task


def _report(task: asyncio.Task[None], on_failure: Callable[[str], None]) -> None:
    if task.cancelled() or not (error := task.exception()):
        return
    reason = f"{task.get_name()} has failed"
    logger.error(reason, exc_info=error)
    on_failure(reason)
