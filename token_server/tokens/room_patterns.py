"""Rooms by pattern: ROOM_NAMES, ATTEND_ROOMS. No I/O."""

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matches_any(patterns: Iterable[str], name: str) -> bool:
    """Tell whether one of these patterns (`*`, `?`, `[a-z]`) covers a name."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
