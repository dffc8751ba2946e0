"""The part `simulated` of the benchmarks."""

from collections.abc import Sequence
from pathlib import Path

from bench.effort import Effort
from bench.figures import Section
from bench.progress import say
from bench.simulated.measure import keep_attended
from bench.simulated.shares import share
from bench.simulated.table import to_grown, to_replaced, to_shared


def measure_simulated(effort: Effort, folder: Path) -> Sequence[Section]:
    """Measure agents that go unheard, two machines, and what more rooms would need."""
    say(f"simulated: {', '.join(map(str, effort.rooms_simulated))} rooms")
    steps = [keep_attended(effort, folder, rooms) for rooms in effort.rooms_simulated]
    shares = share(effort, folder)
    return [
        to_replaced(steps, effort.strikes, effort.growth_seconds),
        to_shared(shares),
        to_grown(steps, shares),
    ]
