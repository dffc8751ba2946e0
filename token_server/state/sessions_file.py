"""The rooms of persons on one machine: 256 small files, in a folder that its processes share.

Each file has the persons of one hash, as JSON; whoever changes it has its lock for some 0.1 ms.
"""

import errno
import fcntl
import json
import os
import time
from collections.abc import Callable, Mapping
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import TypeVar

from token_server.state.sessions import Claim, MemorySessions, Rooms

T = TypeVar("T")

# Hexadecimal digits of a person that choose the file: 256 of them.
_DIGITS = 2
# Rooms in one file: 75 KB with the longest names, 19 MB for all files.
_MOST_ROOMS = 256
# Another process has the lock for a moment; one that is frozen may have it for long.
_TRIES, _AGAIN_AFTER = 10, 0.002


class SessionsFile:
    """A store for the processes of one machine; without a disk each process keeps its own.

    Args:
        folder: Made when it is first needed; of this store alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, Lock()
        self._memory = MemorySessions()

    def claim(self, person: str, room_name: str, most: int) -> Claim:
        """Note that a room is being made for a person, unless they have so many others."""
        claim = self._change(person, lambda file: file.claim(person, room_name, most))
        return claim or self._memory.claim(person, room_name, most)

    def made(self, person: str, room_name: str, at: int) -> None:
        """Note that LiveKit has the room that was claimed then, and not since."""
        self._change(person, lambda file: file.made(person, room_name, at))
        self._memory.made(person, room_name, at)

    def forget(self, person: str, rooms: Mapping[str, int]) -> None:
        """Take these rooms from a person's, if they are still known just so."""
        self._change(person, lambda file: file.forget(person, rooms))
        self._memory.forget(person, rooms)

    def _change(self, person: str, change: Callable[[MemorySessions], T]) -> T | None:
        """Change the persons of one file; None if it cannot be had, or written."""
        for _ in range(_TRIES):
            try:
                with self._lock:
                    return self._change_now(person[:_DIGITS], change)
            except BlockingIOError:
                time.sleep(_AGAIN_AFTER)
            except OSError:
                return None
        return None

    def _change_now(self, name: str, change: Callable[[MemorySessions], T]) -> T:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        # A named pipe in its place would be read for ever.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        with os.fdopen(os.open(self._folder / name, flags, 0o600), "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            before = file.read()
            sessions = MemorySessions(_MOST_ROOMS, _read(before))
            answer = change(sessions)
            text = json.dumps(sessions.persons, ensure_ascii=False).encode(errors="replace")
            if not _write(file, text):
                _write(file, before)  # which still has its place on the disk
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return answer


def _write(file: FileIO, text: bytes) -> bool:
    """Write a file from its beginning; False if the disk had no room for all of it."""
    file.seek(0)
    is_whole = file.write(text) == len(text)
    # Last: ext4 writes a file at once to the disk that was made empty first.
    file.truncate()
    return is_whole


def _read(text: bytes) -> dict[str, Rooms]:
    """Read a file; nobody where a broken disk, or another version, has put something else."""
    try:
        found = json.loads(text)
        return {
            str(person): {str(room): int(at) for room, at in rooms.items()}
            for person, rooms in found.items()
        }
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}
