"""The steps of `make setup`, in order."""

import argparse
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from setup import SetupError
from setup.livekit_server import get_livekit_server
from setup.npm import install_test_packages
from setup.page import build_page
from setup.progress import say
from setup.system_packages import install_missing_programs
from setup.venv import make_venv
from token_server.cli.dev import DevError

_TOOLS = Path(".tools")
_INTERRUPTED = 130  # as shells say it: 128 + SIGINT


def main() -> int:
    """Set up the checkout in the working directory and return the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    started = time.monotonic()
    try:
        with _alone():
            _do_all(_parse())
    except (SetupError, DevError) as error:
        sys.stderr.write(f"\nsetup: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nsetup: interrupted. The same command again goes on from here.\n")
        return _INTERRUPTED
    say(f"set up in {time.monotonic() - started:.1f} s")
    return 0


def _do_all(arguments: argparse.Namespace) -> None:
    make_venv()
    get_livekit_server(os.environ, always=arguments.for_tests)
    build_page(required=arguments.for_tests)
    if arguments.for_tests:
        install_missing_programs()
        install_test_packages()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make setup", description=__doc__)
    parser.add_argument(
        "--for-tests", action="store_true", help="also what only the tests need; nothing optional"
    )
    return parser.parse_args()


@contextmanager
def _alone() -> Iterator[None]:
    """Let one set-up of this checkout run at a time."""
    _TOOLS.mkdir(exist_ok=True)
    with (_TOOLS / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up of this checkout to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
