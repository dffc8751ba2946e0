"""What it costs to keep more and more rooms attended."""

from collections.abc import Sequence
from pathlib import Path

from bench.effort import Effort
from bench.figures import Section
from bench.growth.measure import follow_humans, follow_tokens
from bench.growth.table import to_section
from bench.progress import say


def measure_growth(effort: Effort, folder: Path) -> Sequence[Section]:
    """Measure with tokens issued, and with humans."""
    say(f"growth: {', '.join(map(str, effort.rooms_peopled))} rooms")
    return [to_section(follow_tokens(effort, folder), follow_humans(effort, folder))]
