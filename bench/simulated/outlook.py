"""What more rooms would need, calculated from what was measured. No I/O.

The seconds stay as they were measured, and the processes become as many more as the rooms; each
lists all rooms as often as before, and each room costs what it did.
"""

import math
from dataclasses import dataclass

_LISTING = "ListRooms"
_LOOK = "ListParticipants"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What so many rooms were measured to cost.

    Attributes:
        rooms: How many.
        processes: Web processes.
        cores: Processor time of all of them, in cores.
        memory_mib: Of all of them.
        memory_mib_empty: The same with so few rooms that they do not count.
        calls: Calls to LiveKit a second, by method.
        redis_per_process: Commands a second of a process with nothing to look at.
        redis_per_look: Commands of one look.
        seconds: Until an agent of whose going nobody tells is replaced, p95.
    """

    rooms: int
    processes: int
    cores: float
    memory_mib: float
    memory_mib_empty: float
    calls: dict[str, float]
    redis_per_process: float
    redis_per_look: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Need:
    """What so many rooms need; see Measured."""

    rooms: int
    processes: int
    cores: float
    memory_mib: float
    calls_per_second: float
    redis_commands: float
    seconds: float


def need(rooms: int, measured: Measured) -> Need:
    """Calculate it for so many rooms, as long in seconds as the measured ones."""
    more = rooms / measured.rooms
    processes = max(measured.processes, math.ceil(measured.processes * more))
    listings = measured.calls.get(_LISTING, 0.0) * processes / measured.processes
    of_rooms = sum(rate for name, rate in measured.calls.items() if name != _LISTING) * more
    looks = measured.calls.get(_LOOK, 0.0) * more
    per_room = (measured.memory_mib - measured.memory_mib_empty) / measured.rooms
    empty = measured.memory_mib_empty / measured.processes * processes
    return Need(
        rooms=rooms,
        processes=processes,
        cores=measured.cores * more,
        memory_mib=empty + per_room * rooms,
        calls_per_second=listings + of_rooms,
        redis_commands=measured.redis_per_process * processes + measured.redis_per_look * looks,
        seconds=measured.seconds,
    )
