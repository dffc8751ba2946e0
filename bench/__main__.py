"""`python -m bench [--only PART] [--write]`: measures, prints tables, and says what holds.

A whole run is written to docs/. QUICK=1 in the environment gives a first answer within five
minutes, which is not.
"""

import argparse
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from bench.abuse import measure_abuse
from bench.charts import draw_charts
from bench.classes import measure_classes, measure_origins
from bench.distance import measure_distance
from bench.doctor.measure import measure_doctor
from bench.effort import FULL, QUICK, Effort
from bench.figures import Section
from bench.following import measure_following
from bench.growth import measure_growth
from bench.growth.watching import measure_watching
from bench.joins import measure_joins
from bench.machine import describe_machine
from bench.mutations import measure_mutations
from bench.node_packages import install_node_packages
from bench.pages import pages_with_tables, with_tables
from bench.progress import say
from bench.quota import measure_quota
from bench.reliability import measure_reliability
from bench.report import Result, from_json, to_json, to_markdown, to_terminal
from bench.silence import measure_silence
from bench.simulated.part import measure_simulated
from bench.slow_clients import measure_slow_clients
from bench.stalls import measure_stalls
from bench.starts import measure_starts
from bench.steadiness import measure_steadiness
from bench.tokens import (
    measure_live_tokens,
    measure_tokens,
    measure_tokens_without_webhooks,
)
from bench.webhooks import measure_webhooks

_PARTS: Mapping[str, Callable[[Effort, Path], Sequence[Section]]] = {
    "reliability": measure_reliability,
    "steadiness": measure_steadiness,
    "silence": measure_silence,
    "starts": measure_starts,
    "joins": measure_joins,
    "distance": measure_distance,
    "tokens": measure_tokens,
    "silent": measure_tokens_without_webhooks,
    "live": measure_live_tokens,
    "origins": measure_origins,
    "classes": measure_classes,
    "following": measure_following,
    "webhooks": measure_webhooks,
    "growth": measure_growth,
    "watching": measure_watching,
    "quota": measure_quota,
    "simulated": measure_simulated,
    "abuse": measure_abuse,
    "slow": measure_slow_clients,
    "stalls": measure_stalls,
    "mutations": measure_mutations,
    "doctor": measure_doctor,
}
# What a first answer does without.
_NOT_QUICK = {
    "distance",
    "watching",
    "simulated",
    "steadiness",
    "silence",
    "silent",
    "live",
    "origins",
    "classes",
    "following",
    "webhooks",
    "quota",
    "abuse",
    "slow",
    "stalls",
    "mutations",
    "doctor",
}
_DOCS = Path(__file__).parent.parent / "docs"
_JSON = _DOCS / "benchmarks.json"
_INTERRUPTED = 130  # as shells say it: 128 + SIGINT


def main() -> int:
    """Measure what was asked for; 1 if a bar is missed."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _measure(_parse())
    except KeyboardInterrupt:
        say("interrupted; every process that was started has been stopped")
        return _INTERRUPTED


def _measure(arguments: argparse.Namespace) -> int:
    is_quick = os.environ.get("QUICK", "0") not in {"", "0"}
    parts = arguments.only or [part for part in _PARTS if not (is_quick and part in _NOT_QUICK)]
    install_node_packages()
    machine, today = describe_machine(), datetime.now(UTC).date().isoformat()
    say(machine)
    measured = [_measure_part(part, QUICK if is_quick else FULL) for part in parts]
    result = Result(
        measured_on=today,
        machine=machine,
        is_quick=is_quick,
        sections=tuple(
            replace(section, measured_on=today, machine=machine)
            for sections in measured
            for section in sections or ()
        ),
    )
    is_whole = None not in measured
    sys.stdout.write(to_terminal(result) + "\n\n")
    if arguments.only and arguments.write and _JSON.exists():
        result = result.added_to(from_json(_JSON.read_text()))
    if arguments.write or (is_whole and not is_quick and not arguments.only):
        _write(result)
    say(f"missed: {', '.join(result.missed)}" if result.missed else "every bar holds")
    return 0 if is_whole and not result.missed else 1


def _measure_part(part: str, effort: Effort) -> Sequence[Section] | None:
    """Measure one part; None comes of it when it breaks, and the others go on.

    A part that this machine cannot measure says so, and has no sections.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            return _PARTS[part](effort, Path(folder))
    except Exception:  # noqa: BLE001 (a server that does not start, a browser that crashes)
        say(f"{part} was not measured:\n{traceback.format_exc()}")
        return None


def _write(result: Result) -> None:
    charts = draw_charts(result.sections, _DOCS / "benchmarks")
    (_DOCS / "benchmarks.md").write_text(to_markdown(result, charts))
    _JSON.write_text(to_json(result))
    for page in pages_with_tables(_DOCS):
        page.write_text(with_tables(page.read_text(), result.sections))
    say("written to docs/benchmarks.*, docs/benchmarks/, and the pages that have tables of them")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=_PARTS, help="one part; repeatable")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write docs/benchmarks.*, whatever ran; with --only, beside the other parts there",
    )
    return parser.parse_args()


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
