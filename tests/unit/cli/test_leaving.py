"""A command's exit code is what it came to."""

import subprocess
import sys

import pytest

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
# More than a pipe holds, and a little.
_PRINTS = """
import sys
from token_server.cli import __main__ as cli
text = "x" * int(sys.argv.pop())
cli.show_rooms = lambda *_, **__: print(text, flush={}) or 0
sys.exit(cli.main())
"""


def test_native_threads_do_not_change_the_exit_code() -> None:
    """Scripts read it, and all had been done."""
    command = [sys.executable, "-c", _ABORTS_AT_EXIT]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (130, "the room is gone\n") == (ended.returncode, ended.stdout)


def test_without_native_threads_the_process_ends_as_usual() -> None:
    """What was registered for its end is done."""
    assert 2 == leave(2, loaded={"sys"})


@pytest.mark.parametrize(("characters", "is_at_once"), [("1000000", True), ("10", False)])
def test_where_nobody_reads_on_a_command_ends_without_a_traceback(
    characters: str, *, is_at_once: bool
) -> None:
    """`token-server doctor | head -1` is enough for many."""
    command = [sys.executable, "-c", _PRINTS.format(is_at_once), "rooms", characters]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()

    assert (141, "") == (process.returncode, said)
