"""`python -m bench.distance.line NEAR_DEVICE ORDERS`: carries packets, each after a while.

It is started in a network namespace of its own, whose only link it makes; NEAR_DEVICE is an open
TUN device outside, and ORDERS a pipe: each line is a round trip in milliseconds and the percentage
of packets that are lost, and its end is the end. Namespace and devices go with the last process
that uses them, however that ends.
"""

import os
import select
import sys
import time
from contextlib import suppress

from bench.distance.held_packets import HeldPackets, Journey
from bench.distance.tun import FAR, NEAR, connect_tun, open_tun, run_ip

READY = "the line is ready"
_MTU = 65_536
_HIGHEST_PRIORITY = -20


def main() -> None:
    """Carry until the orders end."""
    near, orders = map(int, sys.argv[1:])
    far, name = open_tun()
    connect_tun(name, FAR, NEAR)
    run_ip("link", "set", "lo", "up")
    # Chromium gives up at once on a machine without a way out.
    run_ip("route", "add", "default", "via", NEAR)
    _come_first()
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    held = HeldPackets(Journey(round_trip_ms=0))
    while _carry(held, {near: far, far: near}, orders):
        pass


def _come_first() -> None:
    """Let no busy process on this machine add to the delay, where that is allowed."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, _HIGHEST_PRIORITY)


def _carry(held: HeldPackets, ways: dict[int, int], orders: int) -> bool:
    """Wait for packets, orders or the next one's time; return whether there is more to come."""
    seconds = held.seconds_left(time.monotonic())
    readable, _, _ = select.select([*ways, orders], [], [], seconds)
    for device in readable:
        if device in ways:
            _take_all(held, device, ways[device])
        elif not (lines := os.read(orders, _MTU).decode().split()):
            return False
        else:
            round_trip_ms, lost_percent = map(int, lines[-2:])
            held.journey = Journey(round_trip_ms=round_trip_ms, lost_percent=lost_percent)
    for device, packet in held.arrived(time.monotonic()):
        with suppress(BlockingIOError):
            os.write(device, packet)
    return True


def _take_all(held: HeldPackets, device: int, to: int) -> None:
    with suppress(BlockingIOError):
        while True:
            held.take(os.read(device, _MTU), to, time.monotonic())


if __name__ == "__main__":
    main()
