"""The timelines of one machine: a SQLite file in the folder that its token servers share.

Token servers of other versions write into the same file. Columns are known by name, and one that
is missing is added; a later version may add more, which have to be allowed to be empty. Whoever
wants anything else of the table takes another file.

While SQLite works or waits, nobody else in this process runs. So it never waits for another process
here, and works on a few rows at a time, between which others have their turn.
"""

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar, cast

from token_server.livekit.slices import give_way
from token_server.state.timeline import MOST_ENTRIES, Entry
from token_server.state.timeline_entries import entry_of, from_json
from token_server.telemetry.outage import Outage

logger = logging.getLogger(__name__)
T = TypeVar("T")

# Of all rooms together; about 25 MB.
_MOST_ROWS = 100_000
# How often, and in seconds how soon, a file that another process writes is tried again.
_TRIES, _AGAIN_AFTER = 10, 0.005
_TIDY_EVERY = 30.0  # seconds
_COLUMNS = {
    "room_name": "TEXT",
    "at": "REAL",
    "event": "TEXT",
    "subject": "TEXT",
    "facts": "TEXT",
    "process": "TEXT",
    "written_at": "REAL",
}
_TABLE = f"""
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY, {", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())}
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS by_room ON entries (room_name)"
_INSERT = (
    "INSERT INTO entries (room_name, at, event, subject, facts, process, written_at)"
    " VALUES (:room_name, :at, :event, :subject, :facts, :process, :written_at)"
)
# A slice of all rows: 1 to 2 ms of work where all of them go.
_SLICE = """
SELECT max(id), sum(written_at < :oldest OR id <= :excess) FROM (
    SELECT id, written_at FROM entries WHERE id > :after ORDER BY id LIMIT 500
)
"""
_DELETE = """
DELETE FROM entries
WHERE id > :after AND id <= :last AND (written_at < :oldest OR id <= :excess)
"""


class TimelineFile:
    """A shelf for the processes of one machine. Thread-safe.

    A disk that is full or a file that is broken costs the timelines and nothing else.

    Args:
        path: The file; made when it is first needed.
        keep: How long an entry is kept.
    """

    def __init__(self, path: Path, keep: timedelta) -> None:
        self._path, self._keep = path, keep.total_seconds()
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)  # device and inode of the open file
        self._tidied_at = float("-inf")  # monotonic
        self._outage = Outage()

    def put(self, entries: Sequence[Entry]) -> bool:
        """Keep them; False while another process writes. What no disk takes is given up."""
        now = time.time()
        rows = [
            each._asdict() | {"facts": json.dumps(each.facts), "written_at": now}
            for each in entries
        ]
        is_written = self._ask(partial(_write, rows=rows), if_busy=False, if_broken=True)
        if is_written and time.monotonic() - self._tidied_at > _TIDY_EVERY:
            self._tidied_at = time.monotonic()
            self._tidy(now - self._keep)
        return is_written

    def of(self, room_name: str) -> Sequence[Entry]:
        """Return the last entries of a room; none if the file cannot be read."""
        read = partial(self._read, room_name=room_name)
        return self._ask(read, if_busy=[], if_broken=[])

    def _tidy(self, oldest: float) -> None:
        """Delete what was written before then, and what are too many; the rest is left if busy."""
        after: int | None = 0
        while after is not None:
            tidy = partial(_tidy_slice, after=after, oldest=oldest)
            after = self._ask(tidy, if_busy=None, if_broken=None)
            give_way()

    def _read(self, connection: sqlite3.Connection, room_name: str) -> list[Entry]:
        rows = connection.execute(
            "SELECT at, event, subject, facts, process FROM entries"
            " WHERE room_name = ? AND written_at >= ? ORDER BY id DESC LIMIT ?",
            (room_name, time.time() - self._keep, MOST_ENTRIES),
        ).fetchall()
        found = [
            entry_of(room_name, (at, event, subject, from_json(facts), process))
            for at, event, subject, facts, process in reversed(rows)
        ]
        return [entry for entry in found if entry]

    def _ask(self, question: Callable[[sqlite3.Connection], T], *, if_busy: T, if_broken: T) -> T:
        for _ in range(_TRIES):
            with self._lock:
                try:
                    return question(self._opened())
                except (sqlite3.Error, OSError, ValueError) as error:
                    if not _is_busy(error):
                        self._give_up(error)
                        return if_broken
            time.sleep(_AGAIN_AFTER)
        return if_busy

    def _opened(self) -> sqlite3.Connection:
        if self._connection and not self._is_there():
            self._close()
        self._connection = self._connection or self._open()
        return self._connection

    def _is_there(self) -> bool:
        """Whether the open file is still the one of that name: somebody may have removed it."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False
        return (found.st_dev, found.st_ino) == self._identity

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=0, isolation_level="IMMEDIATE", check_same_thread=False
        )
        try:
            # What a machine's crash loses is of calls that it has ended anyway.
            connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;")
            with connection:
                _prepare(connection)
            found = self._path.stat()
        except BaseException:
            connection.close()
            raise
        self._identity = found.st_dev, found.st_ino
        return connection

    def _close(self) -> None:
        if self._connection:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _give_up(self, error: Exception) -> None:
        """Close; the next question opens it again."""
        self._close()
        if self._outage.begins():
            logger.warning("Timelines cannot be kept, going on without", exc_info=error)


def remove_timelines(path: Path) -> None:
    """Remove a file of timelines with what belongs to it; whoever has it open begins a new one.

    Nothing is said of what cannot be removed: it was not there, as a rule.
    """
    # The file last: until then its name leads everybody to the same one.
    for end in ("-wal", "-shm", ""):
        with suppress(OSError):
            path.with_name(path.name + end).unlink()


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute(_TABLE)
    there = {name for _, name, *_ in connection.execute("PRAGMA table_info(entries)")}
    for name, kind in _COLUMNS.items():
        if name not in there:
            connection.execute(f"ALTER TABLE entries ADD COLUMN {name} {kind}")
    connection.execute(_INDEX)


def _write(connection: sqlite3.Connection, rows: Sequence[dict[str, object]]) -> bool:
    with connection:
        connection.executemany(_INSERT, rows)
    return True


def _tidy_slice(connection: sqlite3.Connection, after: int, oldest: float) -> int | None:
    """Tidy the rows that follow this id; return the last one's, None if there were none."""
    (newest,) = connection.execute("SELECT max(id) FROM entries").fetchone()
    bounds = {"after": after, "oldest": oldest, "excess": (newest or 0) - _MOST_ROWS}
    last, superfluous = connection.execute(_SLICE, bounds).fetchone()
    if superfluous:
        with connection:
            connection.execute(_DELETE, bounds | {"last": last})
    return cast("int | None", last)


def _is_busy(error: Exception) -> bool:
    # The lowest byte says what it is, the others say why.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
