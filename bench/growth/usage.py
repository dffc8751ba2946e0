"""What a process and all it has started use, as Linux counts it in /proc."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_KIB_PER_MIB = 1024


@dataclass(frozen=True)
class Stat:
    """What /proc/PID/stat says: the session, and the ticks of processor time so far."""

    session: int
    ticks: int

    @classmethod
    def from_text(cls, text: str) -> "Stat":
        """Read the line; proc_pid_stat(5). The second field is a name, with anything in it."""
        fields = text.rpartition(")")[2].split()
        return cls(session=int(fields[3]), ticks=int(fields[11]) + int(fields[12]))


def cpu_seconds(session: int) -> float:
    """Return the processor time that all processes of a session have used so far."""
    return sum(stat.ticks for _, stat in _members(session)) / _TICKS_PER_SECOND


def memory_mib(session: int) -> float:
    """Return their memory, pages that they share counted once (PSS)."""
    total = 0
    for folder, _ in _members(session):
        with suppress(OSError):  # it has ended meanwhile
            lines = (folder / "smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / _KIB_PER_MIB


def threads(session: int) -> int:
    """Return the number of their threads."""
    return sum(_entries(folder / "task") for folder, _ in _members(session))


def open_files(session: int) -> int:
    """Return the number of files and sockets that they have open."""
    return sum(_entries(folder / "fd") for folder, _ in _members(session))


def _entries(folder: Path) -> int:
    try:
        return sum(1 for _ in folder.iterdir())
    except OSError:  # it has ended meanwhile
        return 0


def _members(session: int) -> Iterator[tuple[Path, Stat]]:
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            stat = Stat.from_text((folder / "stat").read_text())
            if stat.session == session:
                yield folder, stat
