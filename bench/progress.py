"""Lines on the terminal while the measurements run: results and troubles, never silence."""

import sys
import time

_STARTED = time.monotonic()


def say(text: str) -> None:
    """Print one line, with the seconds since the start."""
    sys.stdout.write(f"bench {time.monotonic() - _STARTED:5.0f} s  {text}\n")
    sys.stdout.flush()
