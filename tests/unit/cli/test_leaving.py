"""A command's exit code is what it came to."""

import subprocess
import sys

from token_server.cli.leaving import leave

# As livekit's threads do at times when the interpreter ends.
_ABORTS_AT_EXIT = """
import atexit, os, sys
import livekit.rtc
from token_server.cli.leaving import leave
atexit.register(os.abort)
print("the room is gone")
sys.exit(leave(130, sys.modules))
"""


def test_native_threads_do_not_change_the_exit_code() -> None:
    """Scripts read it, and all had been done."""
    command = [sys.executable, "-c", _ABORTS_AT_EXIT]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (130, "the room is gone\n") == (ended.returncode, ended.stdout)


def test_without_native_threads_the_process_ends_as_usual() -> None:
    """What was registered for its end is done."""
    assert 2 == leave(2, loaded={"sys"})
