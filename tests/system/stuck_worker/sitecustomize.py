"""Lets a process stand still for good on SIGUSR2, in its event loop; Python imports it first."""

import signal
import time

# Python runs it in the main thread, which is the loop's; `sleep` lets the other threads run.
signal.signal(signal.SIGUSR2, lambda *_: time.sleep(600))
