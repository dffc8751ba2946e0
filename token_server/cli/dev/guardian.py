"""Ends what is left of the local stack's processes, whatever becomes of `make dev` itself.

A SIGKILL cannot be handled, and each child has a session of its own, where nothing else would end
it. So this file, run as a program, waits for the end of its input: it comes when `make dev` closes
the pipe, and when `make dev` was killed. Standard library only.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_GRACE_SECONDS = 5.0


class Guardian:
    """The program below, started.

    Args:
        stack_file: What it is to remove, if this process cannot any more.
    """

    def __init__(self, stack_file: Path | None = None) -> None:
        leftovers = [str(stack_file)] if stack_file else []
        self._process = subprocess.Popen(  # noqa: S603 (this very file)
            [sys.executable, "-I", __file__, *leftovers],
            start_new_session=True,
            stdin=subprocess.PIPE,
            text=True,
        )

    def watch_over(self, group: int) -> None:
        """Make it end this process group too."""
        print(group, file=self._process.stdin, flush=True)

    def end_all(self) -> None:
        """End what is left of the groups: SIGTERM, at most 5 seconds, SIGKILL."""
        self._process.communicate()


def main() -> None:
    """Read the numbers of process groups until the input ends, then end these groups."""
    groups = [int(line) for line in sys.stdin]
    signal_groups(groups, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while any(map(_has_members, groups)) and time.monotonic() < deadline:
        time.sleep(0.05)
    signal_groups(groups, signal.SIGKILL)
    for name in sys.argv[1:]:
        _remove_unless_held(name)


def _remove_unless_held(name: str) -> None:
    """Remove a file with settings; the next `make dev` of the folder may have it by now."""
    with contextlib.suppress(OSError), Path(name).open() as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        Path(name).unlink()


def signal_groups(groups: Sequence[int], number: signal.Signals) -> None:
    """Send each group a signal; one that is gone gets none."""
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, number)


def _has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
