"""How a command ends its process, also where livekit's native threads run in it."""

import os
import sys
from collections.abc import Container

_NATIVE = "livekit.rtc"
_UNREAD = 141  # as shells say it: 128 + SIGPIPE


def leave(code: int, loaded: Container[str]) -> int:
    """Return the exit code; where livekit's rtc is loaded, end the process with it at once.

    Args:
        code: What the command came to.
        loaded: The names of the modules that were imported.
    """
    if _NATIVE in loaded:
        # Its threads call Python until the process is gone. While the interpreter ends, CPython
        # (before 3.14) ends such a thread with pthread_exit; Rust's frames on its stack forbid
        # that, and abort the process: exit code -6 although all was done.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def unread() -> int:
    """Return the exit code where nobody reads what is printed, as with `| head`; print no more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    # What is not yet written would fail once more when the interpreter ends.
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return _UNREAD
