"""The last words of one machine's workers: a file each, in a folder that its processes share."""

import os
import time
from contextlib import suppress
from pathlib import Path

from token_server.state.workers import (
    FORGOTTEN_AFTER,
    MOST_WORKERS,
    KnownWorker,
    Told,
    Word,
    those_to_show,
)

_Identity = tuple[int, int]  # inode and time: each word is another file

# Its time is since when the folder knows whoever lives.
_SINCE = "since"
_TIDY_EVERY = 10.0  # seconds
_SUFFIX = ".word"


class WorkersFile:
    """A store for the processes of one machine; without a disk it keeps nothing.

    Args:
        folder: Made when it is first needed; of this store alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # What the last reading has found, by the file's name.
        self._found: dict[str, tuple[_Identity, KnownWorker | None]] = {}
        self._tidied_at = float("-inf")  # monotonic

    def of(self, process: str, now: float) -> KnownWorker | None:
        """Return the last word of one process, if any is kept."""
        found = _read(self._folder / f"{process}{_SUFFIX}")
        return found if found and found.is_kept(now) else None

    def put(self, word: Word, now: float, *, is_first: bool) -> None:
        """Keep a word, and forget what is to be forgotten."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if is_first or not (self._folder / _SINCE).exists():
                self._write(_SINCE, str(now))
            self._write(f"{word.process}{_SUFFIX}", f"{now}\n{word.model_dump_json()}")
            self._tidy(now)

    def read(self, now: float) -> Told:
        """Return all that is kept; nothing if it cannot be read."""
        try:
            since = float((self._folder / _SINCE).read_text())
            with os.scandir(self._folder) as entries:
                words = [each for each in entries if each.name.endswith(_SUFFIX)]
        except (OSError, ValueError):
            return Told((), now, now)
        self._found = {entry.name: self._look(entry) for entry in words}
        return Told(those_to_show((each for _, each in self._found.values()), now), since, now)

    def _look(self, entry: "os.DirEntry[str]") -> tuple[_Identity, KnownWorker | None]:
        """Read a file that was not read before."""
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return (0, 0), None
        identity = (status.st_ino, status.st_mtime_ns)
        found = self._found.get(entry.name)
        return found if found and found[0] == identity else (identity, _read(Path(entry)))

    def _write(self, name: str, text: str) -> None:
        """Put a whole file in place of the one before: nobody reads half a word."""
        # Several processes may write, and each a word at a time.
        part = self._folder / f"{name}.{os.getpid()}.{time.monotonic_ns()}.part"
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(self._folder / name)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _tidy(self, now: float) -> None:
        """Remove the oldest beyond the most, and all that is forgotten, halves of words too."""
        if time.monotonic() - self._tidied_at < _TIDY_EVERY:
            return
        self._tidied_at = time.monotonic()
        with os.scandir(self._folder) as entries:
            found = [(_written_at(entry), entry) for entry in entries if entry.name != _SINCE]
        found.sort(key=lambda each: each[0], reverse=True)
        for number, (written_at, entry) in enumerate(found):
            if number >= MOST_WORKERS or now - written_at > FORGOTTEN_AFTER:
                Path(entry).unlink(missing_ok=True)


def _written_at(entry: "os.DirEntry[str]") -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return 0.0


def _read(path: Path) -> KnownWorker | None:
    """Read a file; None for what another version, or a broken disk, has put there."""
    try:
        heard_at, _, text = path.read_text(encoding="utf-8").partition("\n")
        return KnownWorker(Word.model_validate_json(text), float(heard_at))
    except (OSError, ValueError):  # pydantic's errors too
        return None
