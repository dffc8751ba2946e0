"""gunicorn's processes, each by itself."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.processes import Process


def processes(web: Process) -> list[int]:
    """Return the numbers of gunicorn's worker processes."""
    command = ["pgrep", "-P", str(web.popen.pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


@contextmanager
def stopped(process: int, send: Callable[[int, int], None] = os.kill) -> Iterator[None]:
    """Let a process, or with `os.killpg` its whole group, do nothing meanwhile."""
    send(process, signal.SIGSTOP)
    try:
        yield
    finally:
        send(process, signal.SIGCONT)
