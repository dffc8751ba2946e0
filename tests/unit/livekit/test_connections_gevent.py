"""The web process calls LiveKit under gevent, the doctor without."""

import subprocess
import sys

from tests.processes import ROOT

CONNECTIONS = "tests/unit/livekit/test_connections.py"


def test_connections_do_for_greenlets_what_they_do_for_threads() -> None:
    """Gevent's sockets, TLS, threads and locks are others."""
    command = [sys.executable, "-m", "gevent.monkey", "--module", "pytest", "-n0", CONNECTIONS]

    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
