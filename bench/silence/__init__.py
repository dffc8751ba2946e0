"""How long a human hears nobody when an agent or its worker dies, freezes or hangs."""

from collections.abc import Sequence
from pathlib import Path

from bench.effort import Effort
from bench.figures import Section
from bench.node_packages import install_agents_js
from bench.silence.measure import PATIENCE, run_all
from bench.silence.table import to_sections


def measure_silence(effort: Effort, folder: Path) -> Sequence[Section]:
    """Let everything go wrong in every way, in the middle of calls."""
    install_agents_js()
    return to_sections(run_all(effort, folder), effort.silences, PATIENCE)
