"""A network namespace behind a delay, in which Chromium runs."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.distance.held_packets import Journey
from bench.distance.line import READY
from bench.distance.tun import DEVICE_FILE, FAR, NEAR, connect_tun, open_tun
from tests.browser.join_page import chromium_path
from tests.processes import Process, clean_environ

_TOOLS = ("ip", "unshare", "nsenter")
_READY_WITHIN = 10.0


class CannotBeFarError(Exception):
    """This machine does not let us make a network namespace; the text says why."""


class FarAway:
    """What is behind the delay; `near` is our address, as one sees it from there."""

    near = NEAR

    def __init__(self, line: Process, orders: int, folder: Path) -> None:
        self._orders = orders
        self._enter = f"nsenter --net=/proc/{line.popen.pid}/ns/net"
        self._folder = folder

    def travel(self, journey: Journey) -> None:
        """Be that far away from now on."""
        os.write(self._orders, f"{journey.round_trip_ms} {journey.lost_percent}\n".encode())

    def chromium(self) -> Path:
        """Return a program that is Chromium there."""
        program = self._folder / "chromium-far-away"
        program.write_text(f'#!/bin/sh\nexec {self._enter} {chromium_path()} "$@"\n')
        program.chmod(0o700)
        return program


@contextmanager
def far_away(folder: Path) -> Iterator[FarAway]:
    """Make it; all of it goes with the block, or with this process.

    Raises:
        CannotBeFarError: It may not be made here.
    """
    _check_means()
    with ExitStack() as ends:
        try:
            line, orders = _lay_line(folder, ends)
        except (OSError, AssertionError) as error:
            lines = str(error).strip().splitlines()
            raise CannotBeFarError(lines[-1] if lines else type(error).__name__) from error
        yield FarAway(line, orders, folder)


def _check_means() -> None:
    if os.geteuid() != 0:
        raise CannotBeFarError("a network namespace needs root")
    if missing := next((tool for tool in _TOOLS if not shutil.which(tool)), None):
        raise CannotBeFarError(f"there is no `{missing}` (iproute2, util-linux)")
    if not Path(DEVICE_FILE).exists():
        raise CannotBeFarError(f"there is no {DEVICE_FILE}")


def _lay_line(folder: Path, ends: ExitStack) -> tuple[Process, int]:
    """Start the process that carries the packets; return it, and where it takes orders."""
    taken, orders = os.pipe()
    ends.callback(os.close, orders)
    with ExitStack() as handed_over:
        handed_over.callback(os.close, taken)
        near, name = open_tun()
        handed_over.callback(os.close, near)
        connect_tun(name, NEAR, FAR)
        module = (sys.executable, "-m", "bench.distance.line")
        command = ("unshare", "--net", *module, str(near), str(taken))
        log = folder / "line.log"
        line = Process(command, clean_environ(), log, inherited=(near, taken))
    ends.callback(line.kill)
    line.wait_for_output(READY, within=_READY_WITHIN)
    return line, orders
