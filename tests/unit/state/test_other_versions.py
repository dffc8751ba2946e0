"""Timelines that another version of the token server writes, reads or has left."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.redis_server import RedisServer
from token_server.state.machine_state import file_lock
from token_server.state.redis_link import RedisLink
from token_server.state.timeline import Entry, Event
from token_server.state.timeline_file import TimelineFile, remove_timelines
from token_server.state.timeline_redis import TimelineRedis

HOUR = timedelta(hours=1)
OURS = Entry("kitchen", 1.0, Event.ROOM_READY, "RM_1", {"outcome": "created"}, "web:1")
# As the first version made it.
FIRST_TABLE = """
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, room_name TEXT, at REAL, event TEXT, subject TEXT, facts TEXT,
    process TEXT, written_at REAL
);
CREATE INDEX by_room ON entries (room_name);
"""
FIRST_INSERT = "INSERT INTO entries VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)"


def run(path: Path, script: str, *rows: tuple[object, ...]) -> None:
    """Write into the file as another version does."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for row in rows:
            connection.execute(script, row)
        if not rows:
            connection.executescript(script)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the machine's timelines are."""
    return tmp_path / "timeline.sqlite"


@pytest.fixture
def redis_shelf(tmp_path: Path, redis: RedisServer) -> Iterator[TimelineRedis]:
    """Redis, empty."""
    redis.client.flushall()
    link = RedisLink(redis.url, file_lock(tmp_path / "voice.lock"))
    yield TimelineRedis(link, "test:", HOUR)
    link.close()


# What a later version may have noted: an event, a fact, and types of its own.
UNKNOWN = [
    ("agent_blessed", {}),
    ("room_ready", "no facts"),
    (17, {}),
    (["room_ready"], {}),
]


def test_what_a_later_version_has_noted_in_redis_is_passed_over(
    redis: RedisServer, redis_shelf: TimelineRedis
) -> None:
    """Neither its events nor its rows blank what is known."""
    redis_shelf.put([OURS])
    now = time.time()
    rows: list[object] = [[now, 2.0, event, "", facts, "web:2"] for event, facts in UNKNOWN]
    rows += [{"written_at": now}, [now], "text", None, ["then", 2.0, "room_ready", "", {}, ""]]
    later = [now, 3.0, "joined", "PA_1", {"participant_identity": "a", "mood": "x"}, "web:2", "y"]
    for row in [*rows, later]:
        redis.client.rpush("test:timeline:kitchen", json.dumps(row))
    redis.client.rpush("test:timeline:kitchen", b"\xff no JSON")

    known = Entry("kitchen", 3.0, Event.JOINED, "PA_1", {"participant_identity": "a"}, "web:2")
    assert [OURS, known] == redis_shelf.of("kitchen")


def test_what_a_later_version_has_noted_in_the_file_is_passed_over(path: Path) -> None:
    """It has added a column, and says so in the file's own version."""
    shelf = TimelineFile(path, HOUR)
    shelf.put([OURS])
    run(path, "ALTER TABLE entries ADD COLUMN weather TEXT; PRAGMA user_version = 2;")
    insert = (
        "INSERT INTO entries (room_name, at, event, subject, facts, process, written_at, weather)"
        " VALUES ('kitchen', ?, ?, ?, ?, ?, ?, 'rain')"
    )
    now = time.time()
    rows = [(2.0, str(event), "", json.dumps(facts), "web:2", now) for event, facts in UNKNOWN]
    rows.append((2.0, "joined", "PA_1", "{no JSON", "web:2", now))
    known = json.dumps({"participant_identity": "a", "mood": 1})
    run(path, insert, *rows, (3.0, "joined", "PA_1", known, None, now))

    shelf.put([OURS._replace(at=4.0)])
    fresh = TimelineFile(path, HOUR)

    joined = Entry("kitchen", 3.0, Event.JOINED, "PA_1", {"participant_identity": "a"}, "")
    expected = [OURS, joined, OURS._replace(at=4.0)]
    assert (expected, expected) == (shelf.of("kitchen"), fresh.of("kitchen"))


def test_the_first_versions_file_is_shared_both_ways(path: Path) -> None:
    """It knows its columns by their order only."""
    run(path, FIRST_TABLE)
    shelf = TimelineFile(path, HOUR)

    assert shelf.put([OURS])
    now = time.time()
    run(path, FIRST_INSERT, ("kitchen", 2.0, "room_ended", "RM_1", "{}", "web:0", now))

    ended = Entry("kitchen", 2.0, Event.ROOM_ENDED, "RM_1", {}, "web:0")
    assert [OURS, ended] == shelf.of("kitchen")


def test_a_file_that_lacks_a_column_is_gone_on_with(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever version began it."""
    run(path, "CREATE TABLE entries (id INTEGER PRIMARY KEY, room_name TEXT, at REAL, event TEXT)")
    run(path, "INSERT INTO entries (room_name, at, event) VALUES ('kitchen', 1.0, 'joined')")
    shelf = TimelineFile(path, HOUR)

    shelf.put([OURS])

    assert ([OURS], []) == (shelf.of("kitchen"), caplog.records)


def test_timelines_that_are_off_leave_nothing(path: Path) -> None:
    """Identities are in it; a process that was killed leaves its log too."""
    shelf = TimelineFile(path, HOUR)
    shelf.put([OURS])
    assert {"timeline.sqlite", "timeline.sqlite-wal"} <= {p.name for p in path.parent.iterdir()}

    remove_timelines(path)
    remove_timelines(path)

    assert [] == list(path.parent.iterdir())


def remove(path: Path) -> None:
    """As a process does whose timelines are off."""
    remove_timelines(path)


def replace_it(path: Path) -> None:
    """And another one has begun anew."""
    remove_timelines(path)
    TimelineFile(path, HOUR).put([OURS._replace(subject="RM_2")])


@pytest.mark.parametrize("vanish", [remove, replace_it])
def test_a_file_that_vanishes_is_begun_anew(
    path: Path, caplog: pytest.LogCaptureFixture, vanish: Callable[[Path], None]
) -> None:
    """Another process of this machine has timelines off; this one does not write into the void."""
    shelf = TimelineFile(path, HOUR)
    shelf.put([OURS])
    vanish(path)
    shelf.put([OURS._replace(subject="RM_3")])

    (*_, last) = TimelineFile(path, HOUR).of("kitchen")
    assert ("RM_3", []) == (last.subject, caplog.records)
    assert "RM_1" not in {entry.subject for entry in shelf.of("kitchen")}
