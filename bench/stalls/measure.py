"""Runs what may take long in a process of its own, and holds it to a bar."""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.effort import Effort
from bench.figures import Bar, Held, Row, Section, median, number, p95
from bench.progress import say
from tests.processes import ROOT

_BAR = Bar(most=10, unit=" ms")
_COLUMNS = ("CPU p50 ms", "CPU p95 ms", "CPU longest ms", "p50 ms", "p95 ms", "longest ms")
_HOW = (
    "A process with gevent, as gunicorn's, in which one greenlet wakes up every 0.5 ms; each row is"
    " work of another greenlet with the largest input that it can have. Of each round the longest"
    " that the first one was not let in, in CPU time and on the clock, and p50, p95 and the longest"
    " of {rounds} rounds. The bar is on the longest CPU time: on the clock other processes of this"
    " machine are in it too."
)
_WITHIN = 900  # seconds


def measure_stalls(effort: Effort, folder: Path) -> list[Section]:
    """Measure the longest stretches in which nobody else has a turn."""
    rounds = 4 * effort.rounds
    say(f"stalls: {rounds} rounds each")
    command = [sys.executable, "-m", "gevent.monkey", "--module", "bench.stalls.inside"]
    done = subprocess.run(  # noqa: S603 (our own module)
        [*command, str(rounds), str(folder)],
        cwd=ROOT,
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)},
        capture_output=True,
        timeout=_WITHIN,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    rows = tuple(_row(what, gaps) for what, gaps in json.loads(done.stdout).items())
    how, title = _HOW.format(rounds=rounds), "In one go"
    return [Section(key="stalls", title=title, how=how, columns=_COLUMNS, rows=rows)]


def _row(what: str, gaps: list[tuple[float, float]]) -> Row:
    cpu, clock = zip(*gaps, strict=True)
    cells = [
        number(figure(seconds) * 1000, 1)
        for seconds in (cpu, clock)
        for figure in (median, p95, max)
    ]
    say(f"    {what}: {max(cpu) * 1000:.1f} ms")
    return Row(what=what, cells=tuple(cells), held=Held(value=max(cpu) * 1000, bar=_BAR))
