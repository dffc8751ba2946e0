"""What tests start is started as from a terminal."""

import signal
import subprocess
import sys

from tests.processes import let_children_heed_signals

_TELL = "import signal; print(signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL)"


def test_a_signal_that_the_tests_ignore_reaches_what_they_start() -> None:
    """In a script's background they ignore SIGINT: Ctrl-C would seem to be without effect."""
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        let_children_heed_signals([signal.SIGUSR1])
        signal.raise_signal(signal.SIGUSR1)  # would end this process by default
        told = subprocess.check_output([sys.executable, "-c", _TELL], text=True)
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert "True" == told.strip()
