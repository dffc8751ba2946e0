"""The timelines' file at its largest."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import gevent

from token_server.state.timeline import Entry, Event, Timeline
from token_server.state.timeline_file import TimelineFile

_KEEP = timedelta(hours=1)
_ROWS, _UNWRITTEN, _HELD_FOR = 100_000, 20_000, 0.03
_ENTRY = Entry("kitchen", time.time(), Event.JOINED, "", {"participant_identity": "alice" * 20})


def works(folder: Path) -> Mapping[str, Callable[[], Callable[[], object]]]:
    """Return what is done with the file."""
    path = folder / "timeline.sqlite"
    return {
        f"timelines: delete {_ROWS:,} old entries": partial(_tidy, path),
        f"timelines: look through {_ROWS:,} entries of today": partial(_tidy, path, age=0),
        f"timelines: write {_UNWRITTEN:,} entries": partial(_flush, path),
        "timelines: wait for another process that writes": partial(_wait, path),
    }


def _tidy(path: Path, age: float = 7200) -> Callable[[], object]:
    with closing(sqlite3.connect(path)) as connection, connection:
        TimelineFile(path, _KEEP).put([_ENTRY])
        connection.execute("DELETE FROM entries")
        connection.executemany(
            "INSERT INTO entries (room_name, at, event, subject, facts, process, written_at)"
            " VALUES (?, ?, 'joined', '', ?, 'web:1', ?)",
            ((f"room-{n % 999}", 1.0, "x" * 120, time.time() - age) for n in range(_ROWS)),
        )
    return partial(TimelineFile(path, _KEEP).put, [_ENTRY])


def _flush(path: Path) -> Callable[[], object]:
    noted = Timeline(lambda: datetime.now(UTC), "web:1", TimelineFile(path, _KEEP))
    noted.add([_ENTRY] * _UNWRITTEN)
    return noted.flush


def _wait(path: Path) -> Callable[[], object]:
    shelf = TimelineFile(path, _KEEP)
    shelf.put([_ENTRY])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    gevent.spawn_later(_HELD_FOR, other.close)
    return partial(shelf.put, [_ENTRY])
