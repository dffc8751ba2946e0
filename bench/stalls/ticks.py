"""A greenlet that ticks, and how long it was kept from it."""

import time
from collections.abc import Callable

import gevent

_TICK = 0.0005  # seconds


def longest_gap(work: Callable[[], object]) -> tuple[float, float]:
    """Return the longest time between two ticks while the work is done: CPU and clock, seconds."""
    gaps: list[tuple[float, float]] = []
    ticking = gevent.spawn(_tick, gaps)
    gevent.sleep(4 * _TICK)
    gaps.clear()
    work()
    gevent.sleep(4 * _TICK)
    ticking.kill()
    cpu, clock = zip(*gaps, strict=True)
    return max(cpu), max(clock)


def _tick(gaps: list[tuple[float, float]]) -> None:
    while True:
        cpu, clock = time.thread_time(), time.perf_counter()
        gevent.sleep(_TICK)
        gaps.append((time.thread_time() - cpu, time.perf_counter() - clock))
