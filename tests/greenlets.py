"""Work that is to let other greenlets run, in a process of its own: gevent patches all of it."""

import subprocess
import sys

from tests.processes import ROOT

_PRELUDE = """
import time
import gevent

turns = 0

def take_turns():
    global turns
    while True:
        gevent.sleep(0.00001)
        turns += 1

gevent.spawn(take_turns)
"""


def run_under_gevent(script: str, *arguments: object) -> str:
    """Run a script whose `turns` is how often another greenlet has had its turn; its output."""
    done = subprocess.run(
        [sys.executable, "-c", f"from gevent import monkey\nmonkey.patch_all()\n{_PRELUDE}{script}"]
        + [str(argument) for argument in arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()
