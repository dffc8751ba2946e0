"""What the person at the terminal sees, and what a machine reads."""

import json
import shutil
import textwrap
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any, TextIO

from token_server.cli.colours import BOLD, DIM, GREEN, RED, YELLOW, paint
from token_server.cli.doctor.checks import EXIT_CODES, Check, Finding, Timeline, skipped, worst
from token_server.cli.doctor.here import Here
from token_server.telemetry.printable import printable

_SIGNS = {
    Finding.OK: ("✓", GREEN),
    Finding.WRONG: ("✗", RED),
    Finding.UNKNOWN: ("?", YELLOW),
    Finding.SKIPPED: ("-", DIM),
}
_NAME_WIDTH = 13
_INDENT = " " * (_NAME_WIDTH + 5)
_NEXT_LINE = f"\n{_INDENT}"
_CLEAR_LINE = "\r\033[K"
_LINE_WIDTH = 78
_WIDEST = 110

_ANYWHERE = Here()


class Report:
    """Writes each check as it ends; keeps all of them.

    Args:
        out: Where to.
        is_terminal: Whether a line of what is being done can be shown, and drawn over.
        has_colours: Whether to use them.
        is_quiet: Whether to write nothing but that line.
        here: How commands are typed.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        is_terminal: bool,
        has_colours: bool,
        is_quiet: bool = False,
        here: Here = _ANYWHERE,
    ) -> None:
        self._out, self._is_terminal, self._has_colours = out, is_terminal, has_colours
        self._is_quiet, self.here = is_quiet, here
        self._started = time.monotonic()
        self.checks: list[Check] = []
        self._timeline: Timeline = ()

    def doing(self, what: str) -> None:
        """Show what is being done, on a terminal."""
        if self._is_terminal:
            line = f"  … {printable(what)}, {self._seconds():.0f} s"[:_LINE_WIDTH]
            self._write(f"{_CLEAR_LINE}{self._paint(line, DIM)}")

    def timed(self, timeline: Timeline) -> None:
        """Keep the steps for the end."""
        self._timeline = timeline

    def found(self, check: Check) -> bool:
        """Write one check; return whether all is as it should be."""
        check = replace(
            check,
            cure=self.here.cure(check.cure, check.steps),
            commands=self.here.commands(check.steps) if check.cause else (),
        )
        self.checks.append(check)
        if self._is_terminal:
            self._write(_CLEAR_LINE)
        if not self._is_quiet:
            self._write_check(check)
        return check.finding is Finding.OK

    def _write_check(self, check: Check) -> None:
        sign, colour = _SIGNS[check.finding]
        head = f"  {self._paint(sign, colour)} {check.name:<{_NAME_WIDTH}}"
        is_bad = check.finding in {Finding.WRONG, Finding.UNKNOWN}
        shown = [self._paint(line, BOLD if is_bad else "") for line in self._lines(check.says)]
        shown += [self._paint(line, DIM) for text in check.evidence for line in self._lines(text)]
        if check.cure:
            first, *others = self._lines(check.cure, narrower=2)
            shown += [f"{self._paint('→', colour)} {first}", *(f"  {line}" for line in others)]
        # Not broken into lines: they are copied.
        shown += [f"    {printable(command)}" for command in check.commands]
        self._write(f"{head} {_NEXT_LINE.join(shown)}\n")

    def skip(self, names: Iterable[str], until: str) -> None:
        """Say of each of these checks that it was not done, and what has to be first."""
        for name in names:
            self.found(skipped(name, f"Not before {until}."))

    def finish(self) -> None:
        """Write the timeline and the verdict."""
        if self._is_quiet:
            return
        if self._timeline:
            steps = "".join(
                f"    {seconds:7.3f}  {printable(step)}\n" for seconds, step in self._timeline
            )
            self._write(f"\n  Seconds after a token was asked for:\n{steps}")
        colour = _SIGNS[worst(self.checks)][1]
        self._write(f"\n  {self._paint(verdict(self.checks), colour)} ({self._seconds():.1f} s)\n")

    def as_json(self) -> str:
        """Return everything as JSON; docs/doctor.md has the shape."""
        finding = worst(self.checks)
        document = {
            "finding": finding,
            "exit_code": EXIT_CODES[finding],
            "seconds": round(self._seconds(), 3),
            "checks": [_shown(check) for check in self.checks],
            "timeline": [
                {"seconds": round(seconds, 3), "step": step} for seconds, step in self._timeline
            ],
        }
        return json.dumps(document, indent=2)

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _lines(self, text: str, narrower: int = 0) -> list[str]:
        """Break a text where the terminal ends; a file has one line for each."""
        text = printable(text)
        if not self._is_terminal:
            return [text]
        columns = min(shutil.get_terminal_size().columns, _WIDEST) - len(_INDENT) - narrower
        return textwrap.wrap(text, max(columns, 20), break_on_hyphens=False)

    def _paint(self, text: str, colour: str) -> str:
        return paint(text, colour, has_colours=self._has_colours)

    def _write(self, text: str) -> None:
        encoding = self._out.encoding or "utf-8"
        self._out.write(text.encode(encoding, "replace").decode(encoding))
        self._out.flush()


def _shown(check: Check) -> dict[str, Any]:
    return {name: value for name, value in asdict(check).items() if name != "steps"}


def verdict(checks: Sequence[Check]) -> str:
    """Say it in a line."""
    wrong = [check.name for check in checks if check.finding is Finding.WRONG]
    unknown = [check.name for check in checks if check.finding is Finding.UNKNOWN]
    parts = []
    if wrong:
        order = ", the first one first" if len(wrong) > 1 else ""
        parts.append(f"Wrong: {', '.join(wrong)}; do what the arrow says{order}.")
    if unknown:
        parts.append(f"Could not tell: {', '.join(unknown)}.")
    return " ".join(parts) or "All well."
