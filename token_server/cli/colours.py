"""Colours on a terminal."""

from collections.abc import Mapping
from typing import TextIO

GREEN, YELLOW, RED, DIM, BOLD = "32", "33", "1;31", "2", "1"


def are_wanted(out: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether somebody sees them who has not said no (https://no-color.org)."""
    return out.isatty() and not environ.get("NO_COLOR")


def paint(text: str, colour: str, *, has_colours: bool) -> str:
    """Return a text in a colour; as it is without colours, or with none."""
    return f"\033[{colour}m{text}\033[0m" if has_colours and colour else text
