"""How soon the web process serves: from its start to /readyz."""

import time
from pathlib import Path

from bench.effort import Effort
from bench.figures import Bar, Held, Row, Section, median, number, p95
from bench.progress import say
from bench.servers import start_livekit, start_ours, wait_until_ready
from tests.processes import LiveKitServer, free_port

_HOW = "From the start of the Procfile's `web` to the first 200 of /readyz, on a warm disk."


def measure_starts(effort: Effort, folder: Path) -> list[Section]:
    """Start the web process several times."""
    say(f"starts of the web process: {effort.starts}")
    with start_livekit(folder) as livekit:
        _start(livekit, folder)  # warms the disk
        milliseconds = [_start(livekit, folder) for _ in range(effort.starts)]
    say(f"    median {median(milliseconds):,.0f} ms")
    row = Row(
        what=f"web process ready ({effort.starts} starts)",
        cells=(number(median(milliseconds), 1), number(p95(milliseconds), 1)),
        held=Held(value=median(milliseconds), bar=Bar(most=2000, unit=" ms")),
    )
    columns = ("p50 ms", "p95 ms")
    return [Section(key="starts", title="Start", how=_HOW, columns=columns, rows=(row,))]


def _start(livekit: LiveKitServer, folder: Path) -> float:
    port = free_port()
    environ = livekit.environ() | {"PORT": str(port), "HOST": "127.0.0.1"}
    started = time.perf_counter()
    with start_ours(environ, folder / f"web-{port}.log") as web:
        wait_until_ready(web, port)
        return 1000 * (time.perf_counter() - started)
