"""The timelines of one machine: a SQLite file in the folder that its token servers share."""

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from enum import Enum
from pathlib import Path
from threading import Lock
from typing import TypeVar

from token_server.timeline import MOST_ENTRIES, Entry, Event

logger = logging.getLogger(__name__)
T = TypeVar("T")

# Of all rooms together; about 25 MB.
_MOST_ROWS = 100_000
# Seconds. All greenlets of a process wait with the one that does.
_LOCKED = 0.05
_TIDY_EVERY = 30.0
_TABLE = """
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY, room_name TEXT, at REAL, event TEXT, subject TEXT, facts TEXT,
    process TEXT, written_at REAL
);
CREATE INDEX IF NOT EXISTS by_room ON entries (room_name);
"""
_INSERT = "INSERT INTO entries VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)"


class _Busy(Enum):
    BUSY = True


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
        self._tidied_at = float("-inf")  # monotonic
        self._has_complained = False

    def put(self, entries: Sequence[Entry]) -> bool:
        """Keep them; False while another process writes. What no disk takes is given up."""
        now = time.time()
        rows = [
            (
                each.room_name,
                each.at,
                each.event,
                each.subject,
                json.dumps(each.facts),
                each.process,
                now,
            )
            for each in entries
        ]
        return self._ask(lambda connection: self._write(connection, rows, now)) is not _Busy.BUSY

    def of(self, room_name: str) -> Sequence[Entry]:
        """Return the last entries of a room; none if the file cannot be read."""
        found = self._ask(lambda connection: self._read(connection, room_name))
        return found if isinstance(found, list) else []

    def _write(
        self, connection: sqlite3.Connection, rows: Sequence[tuple[object, ...]], now: float
    ) -> None:
        with connection:
            connection.executemany(_INSERT, rows)
            if time.monotonic() - self._tidied_at > _TIDY_EVERY:
                self._tidied_at = time.monotonic()
                connection.execute(
                    "DELETE FROM entries WHERE written_at < ?"
                    " OR id <= (SELECT max(id) FROM entries) - ?",
                    (now - self._keep, _MOST_ROWS),
                )

    def _read(self, connection: sqlite3.Connection, room_name: str) -> list[Entry]:
        rows = connection.execute(
            "SELECT at, event, subject, facts, process FROM entries"
            " WHERE room_name = ? AND written_at >= ? ORDER BY id DESC LIMIT ?",
            (room_name, time.time() - self._keep, MOST_ENTRIES),
        ).fetchall()
        return [
            Entry(room_name, at, Event(event), subject, json.loads(facts), process)
            for at, event, subject, facts, process in reversed(rows)
        ]

    def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T | _Busy | None:
        with self._lock:
            try:
                self._connection = self._connection or self._open()
                return question(self._connection)
            except (sqlite3.Error, OSError, ValueError) as error:
                if _is_busy(error):
                    return _Busy.BUSY
                self._give_up(error)
                return None

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_LOCKED, check_same_thread=False)
        # What a machine's crash loses is of calls that it has ended anyway.
        connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; {_TABLE}")
        return connection

    def _give_up(self, error: Exception) -> None:
        """Close; the next question opens it again."""
        if self._connection:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        if not self._has_complained:
            logger.warning("Timelines cannot be kept, going on without", exc_info=error)
            self._has_complained = True


def _is_busy(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", None) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
