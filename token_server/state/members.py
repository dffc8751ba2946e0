"""Which token servers of this machine are there: a small file for each, touched as it beats.

A held lock would not do: a frozen process keeps it, and its share would be looked at by nobody.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

# Seconds after the last touch. A process that lives touches its file twice a second.
_ALIVE = 2.5
_FORGOTTEN = 60.0


class Members:
    """The processes that meet in one folder; this one gets a name that no other has.

    Args:
        folder: Where; it is made if need be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made_by, self._name = 0, ""

    @property
    def name(self) -> str:
        """This process: another name after a fork."""
        if self._made_by != os.getpid():
            self._made_by, self._name = os.getpid(), f"{os.getpid()}-{secrets.token_hex(8)}"
        return self._name

    def meet(self) -> frozenset[str]:
        """Say that this process is there, and return all that are.

        Raises:
            OSError: Nobody knows of the others.
        """
        # Times of one clock, the file system's: a process may see another time of day.
        now = self._touch()
        here = {self.name}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    # Where the clock was set back, what seems to come from the future is dead.
                    age = abs(now - entry.stat(follow_symlinks=False).st_mtime)
                    if age < _ALIVE:
                        here.add(entry.name)
                    elif age > _FORGOTTEN:
                        Path(entry).unlink()
        return frozenset(here)

    def part(self) -> None:
        """Say that this process is not there any more."""
        with suppress(OSError):
            self._mine.unlink(missing_ok=True)

    @property
    def _mine(self) -> Path:
        return self._folder / self.name

    def _touch(self) -> float:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        # What is there gets the kernel's time, as a new file does.
        self._mine.touch(mode=0o600)
        return self._mine.stat().st_mtime
