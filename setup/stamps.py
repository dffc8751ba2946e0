"""What has been done already, and from what: one small file a step."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

_STAMPS = Path(".tools/stamps")


def digest(paths: Iterable[Path], *also: str) -> str:
    """Return a hash over the files' names and contents and the texts."""
    total = hashlib.sha256("\0".join(also).encode())
    for path in sorted(paths):
        total.update(f"\0{path}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def is_done(step: str, key: str) -> bool:
    """Tell whether the step was last completed with this key."""
    stamp = _STAMPS / step
    return stamp.is_file() and stamp.read_text() == key


def was_completed(step: str) -> bool:
    """Tell whether the step was last completed, with whatever key, and not interrupted."""
    return (_STAMPS / step).is_file()


def forget(step: str) -> None:
    """Call before the step begins to change things: interrupted, it counts as not done."""
    (_STAMPS / step).unlink(missing_ok=True)


def remember(step: str, key: str) -> None:
    """Call when the step is complete."""
    _STAMPS.mkdir(parents=True, exist_ok=True)
    (_STAMPS / step).write_text(key)
