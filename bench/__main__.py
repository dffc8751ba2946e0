"""`python -m bench [--only PART] [--write]`: measures, prints a table, and says what holds.

QUICK=1 in the environment gives a first answer within five minutes.
"""

import argparse
import os
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from bench.effort import FULL, QUICK
from bench.following import measure_following
from bench.joins import measure_joins
from bench.machine import describe_machine
from bench.progress import say
from bench.report import Result, to_json, to_markdown, to_terminal
from bench.starts import measure_starts
from bench.tokens import measure_live_tokens, measure_tokens

_PARTS = {
    "starts": measure_starts,
    "joins": measure_joins,
    "tokens": measure_tokens,
    "live": measure_live_tokens,
    "following": measure_following,
}
_DOCS = Path(__file__).parent.parent / "docs"
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
    machine = describe_machine()
    say(machine)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        sections = tuple(
            _PARTS[part](QUICK if is_quick else FULL, Path(folder)) for part in arguments.only
        )
    result = Result(
        measured_on=datetime.now(UTC).date().isoformat(),
        machine=machine,
        is_quick=is_quick,
        sections=sections,
    )
    sys.stdout.write(to_terminal(result) + "\n\n")
    if arguments.write:
        (_DOCS / "benchmarks.md").write_text(to_markdown(result))
        (_DOCS / "benchmarks.json").write_text(to_json(result))
        say("written to docs/benchmarks.md and docs/benchmarks.json")
    say(f"missed: {', '.join(result.missed)}" if result.missed else "every bar holds")
    return 1 if result.missed else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=_PARTS, help="one part; repeatable")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.*")
    arguments = parser.parse_args()
    arguments.only = arguments.only or list(_PARTS)
    return arguments


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
