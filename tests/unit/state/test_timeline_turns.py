"""While a process works on its timelines, its other greenlets have their turn."""

from pathlib import Path

from tests.greenlets import run_under_gevent

SHELF = """
import sqlite3, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from token_server.state.timeline import Entry, Event, Timeline
from token_server.state.timeline_file import TimelineFile

path = Path(sys.argv[1])
shelf = TimelineFile(path, timedelta(hours=1))
entry = Entry("kitchen", 1.0, Event.ROOM_READY, "", {})
"""
BUSY = """
shelf.put([entry])
other = sqlite3.connect(path, isolation_level=None)
other.execute("BEGIN IMMEDIATE")
gevent.spawn_later(0.005, other.rollback)
print(shelf.put([entry]))
"""
TIDY = """
shelf.put([entry] * 2_000)
with sqlite3.connect(path) as connection:
    connection.execute("UPDATE entries SET written_at = written_at - 3601")
shelf = TimelineFile(path, timedelta(hours=1))
turns = 0
shelf.put([entry])
had = turns
with sqlite3.connect(path) as connection:
    print(had >= 4, connection.execute("SELECT count(*) FROM entries").fetchone())
"""
FLUSH = """
noted = Timeline(lambda: datetime.now(UTC), "web:1", shelf)
for _ in range(2_000):
    noted.note("kitchen", Event.ROOM_READY)
turns = 0
noted.flush()
had = turns
with sqlite3.connect(path) as connection:
    print(had >= 9, connection.execute("SELECT count(*) FROM entries").fetchone())
"""


def test_whoever_writes_the_file_can_finish_while_another_waits(tmp_path: Path) -> None:
    """SQLite's own waiting would hold up every request, and here the writer too."""
    assert "True" == run_under_gevent(SHELF + BUSY, tmp_path / "timeline.sqlite")


def test_others_have_their_turn_while_old_entries_are_deleted(tmp_path: Path) -> None:
    """A night's entries are tens of thousands, and all at once they take a second."""
    assert "True (1,)" == run_under_gevent(SHELF + TIDY, tmp_path / "timeline.sqlite")


def test_others_have_their_turn_while_many_entries_are_written(tmp_path: Path) -> None:
    """Those pile up while another process holds the file, or Redis is away."""
    assert "True (2000,)" == run_under_gevent(SHELF + FLUSH, tmp_path / "timeline.sqlite")
