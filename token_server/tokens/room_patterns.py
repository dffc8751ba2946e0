"""Rooms by pattern: ROOM_NAMES, ATTEND_ROOMS, AGENT_RULES. No I/O."""

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matches_any(patterns: Iterable[str], name: str) -> bool:
    """Tell whether one of these patterns (`*`, `?`, `[a-z]`) covers a name."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def agent_by_rule(rules: Iterable[tuple[str, str]], room_name: str, default: str) -> str:
    """Return the agent of the first rule that covers a room; else the default."""
    return next((name for pattern, name in rules if fnmatchcase(room_name, pattern)), default)
