"""Ends the local stack's processes: at its end, and also when it was killed and cannot.

Run as a program it watches its parent. A SIGKILL cannot be handled, and honcho puts every process
in a session of its own, where nothing else would end it. Standard library only.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

_GRACE_SECONDS = 5.0
_LOOK_SECONDS = 0.5


class Guardian:
    """The program below, watching over this process's children."""

    def __init__(self, groups: Sequence[int], helpers: Sequence[int]) -> None:
        """Start it.

        Args:
            groups: Process groups, ended politely first.
            helpers: Processes of honcho's that only read the output of those.
        """
        numbers = [",".join(map(str, pids)) for pids in ([os.getpid()], groups, helpers)]
        self._process = subprocess.Popen(  # noqa: S603 (this very file, and numbers)
            [sys.executable, "-I", __file__, *numbers],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )

    def dismiss(self) -> None:
        """End it without a deed: the children are gone."""
        self._process.kill()
        self._process.wait()


def end_groups(groups: Sequence[int], helpers: Sequence[int] = ()) -> None:
    """End process groups: SIGTERM, at most 5 seconds, SIGKILL; then the helpers."""
    _signal_groups(groups, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while any(map(_has_members, groups)) and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal_groups(groups, signal.SIGKILL)
    for pid in helpers:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def _signal_groups(groups: Sequence[int], number: signal.Signals) -> None:
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, number)


def _has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


def main(parent: str, groups: str, helpers: str) -> None:
    """Wait until this process's parent is no longer that one, then end what it had started."""
    while os.getppid() == int(parent):
        time.sleep(_LOOK_SECONDS)
    end_groups(_numbers(groups), _numbers(helpers))


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


if __name__ == "__main__":
    main(*sys.argv[1:])
