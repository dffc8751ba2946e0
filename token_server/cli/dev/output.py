"""What the person at the terminal sees: each line with its process's name and colour before it."""

import itertools
import os
import sys
import time
from collections.abc import Sequence

from token_server.telemetry.printable import printable_lines

SYSTEM = "system"
# ANSI's cyan, yellow, green, magenta, red and blue.
_COLOURS = (36, 33, 32, 35, 31, 34)


def show(text: str) -> None:
    """Write a line, or several, to standard output: unbuffered, so that a failure is met here."""
    data = f"{text}\n".encode(sys.stdout.encoding or "utf-8", "replace")
    while data:
        data = data[os.write(sys.stdout.fileno(), data) :]


class Printer:
    """Prints the lines of named processes, and of the system, which has no colour."""

    def __init__(self, names: Sequence[str]) -> None:
        has_colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._width = max(map(len, [SYSTEM, *names]))
        colours = itertools.cycle(_COLOURS if has_colours else ())
        self._colours = dict(zip(names, colours, strict=False))

    def print(self, name: str, line: str) -> None:
        """Print one line, escaping what names of rooms and people may have brought into it."""
        prefix = f"{time.strftime('%H:%M:%S')} {name.ljust(self._width)} | "
        if name in self._colours:
            prefix = f"\033[0m\033[{self._colours[name]}m{prefix}\033[0m"
        show(prefix + printable_lines(line.expandtabs()))
