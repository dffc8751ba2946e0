"""How surely a join gets exactly one agent: scenarios, for ours and for what others do."""

from collections.abc import Sequence
from pathlib import Path

from bench.effort import Effort
from bench.figures import Section
from bench.reliability.measure import run_all
from bench.reliability.signalling import measure_signalling
from bench.reliability.table import to_sections


def measure_reliability(effort: Effort, folder: Path) -> Sequence[Section]:
    """Run every scenario with every strategy, then joins without media."""
    sections = to_sections(run_all(effort, folder), effort.patience)
    return [*sections, measure_signalling(effort, folder)] if effort.is_thorough else sections
