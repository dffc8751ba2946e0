import asyncio
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from agent.heartbeat import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterator

# A process whose loop beats until its input ends, and then stands still for good.
BLOCKED = """
import asyncio, sys, time
from agent.heartbeat import Heartbeat
async def run():
    Heartbeat(silent_seconds=0, blocked_seconds=1.0).start()
    await asyncio.sleep(0.5)
    print("beats", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    time.sleep(60)
asyncio.run(run())
"""


def gaps(*readings: float, silent_seconds: float) -> int:
    """Return how many gaps are told of when the clock shows these, one beat after the other."""
    told: list[str] = []
    clock: Iterator[float] = itertools.chain(readings, itertools.repeat(readings[-1]))

    async def run() -> None:
        heartbeat = Heartbeat(
            silent_seconds=silent_seconds,
            blocked_seconds=0,
            on_gap=lambda: told.append("gap"),
            clock=lambda: next(clock),
        )
        heartbeat.start()
        await asyncio.sleep(0.45)
        await heartbeat.aclose()

    asyncio.run(run())
    return len(told)


@pytest.mark.parametrize(
    ("readings", "silent_seconds", "told"),
    [
        ((10.0, 10.2, 10.4), 2, 0),
        ((10.0, 10.9, 11.1), 2, 0),
        ((10.0, 11.3, 11.5), 2, 1),
        ((10.0, 11.3, 60.0), 2, 2),
        ((10.0, 60.0, 60.2), 0, 0),
    ],
    ids=["in step", "a loaded machine", "frozen", "frozen twice", "off"],
)
def test_a_freeze_is_told_of(readings: tuple[float, ...], silent_seconds: float, told: int) -> None:
    """Whoever was away for half of what the keeper waits may have been replaced."""
    assert told == gaps(*readings, silent_seconds=silent_seconds)


def test_a_loop_that_stands_still_is_noticed_with_its_thread() -> None:
    """A session that is stuck is silent for good, and its process lives."""
    noticed: list[int] = []

    async def run() -> None:
        heartbeat = Heartbeat(silent_seconds=0, blocked_seconds=0.6, on_blocked=noticed.append)
        heartbeat.start()
        await asyncio.sleep(0.8)
        assert not noticed
        time.sleep(1.5)  # noqa: ASYNC251 (this is what is noticed)
        await heartbeat.aclose()

    asyncio.run(run())
    assert [threading.get_ident()] == noticed


def test_a_heartbeat_that_was_stopped_ends_nothing() -> None:
    """What a process does at its end may take its time."""
    noticed: list[int] = []

    async def run() -> None:
        heartbeat = Heartbeat(silent_seconds=0, blocked_seconds=0.3, on_blocked=noticed.append)
        heartbeat.start()
        await heartbeat.aclose()
        time.sleep(1.0)  # noqa: ASYNC251 (this is what is not noticed)

    asyncio.run(run())
    assert [] == noticed


def test_a_process_whose_loop_stands_still_ends_and_says_where() -> None:
    """Its worker sees the end at once; livekit-agents itself waits for 60 s."""
    with start_blocked() as process:
        assert process.stdout is not None
        process.stdout.readline()
        _, said = process.communicate("", timeout=20)

    assert 1 == process.returncode
    assert "stands still" in said
    assert "time.sleep(60)" in said or "in run" in said


def test_a_process_that_was_stopped_for_longer_goes_on() -> None:
    """Frozen is not stuck: that its clock has moved on says nothing about its loop."""
    with start_blocked() as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(2.5)
        os.kill(process.pid, signal.SIGCONT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.6)
        process.kill()


def start_blocked() -> subprocess.Popen[str]:
    """Start the process above."""
    return subprocess.Popen(
        [sys.executable, "-c", BLOCKED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
