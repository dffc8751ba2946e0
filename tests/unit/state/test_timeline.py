"""Noting and reading what happens in rooms; on both shelves."""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes import FakeLiveKit
from tests.redis_server import RedisServer
from token_server.livekit.port import AgentOrder, ParticipantKind
from token_server.state import livekit_past, timeline_redis
from token_server.state.machine_state import file_lock
from token_server.state.redis_link import RedisLink
from token_server.state.timeline import MOST_ENTRIES, Entry, Event, Shelf, Timeline, in_order
from token_server.state.timeline_file import TimelineFile
from token_server.state.timeline_redis import TimelineRedis

HOUR = timedelta(hours=1)


def now() -> datetime:
    """LiveKit's clock."""
    return datetime.now(UTC)


@pytest.fixture(params=["file", "redis"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, redis: RedisServer) -> Iterator[Shelf]:
    """Each of them, empty."""
    if request.param == "file":
        yield TimelineFile(tmp_path / "timeline.sqlite", HOUR)
        return
    redis.client.flushall()
    link = RedisLink(redis.url, file_lock(tmp_path / "voice.lock"))
    yield TimelineRedis(link, "test:", HOUR)
    link.close()


def timeline(shelf: Shelf | None, process: str = "web:1") -> Timeline:
    """One process."""
    return Timeline(now, process, shelf)


def told(noted: Timeline, room_name: str = "kitchen") -> list[tuple[str, object]]:
    """What is known of a room, shortly."""
    entries = in_order(noted.of(room_name))
    return [(entry.event.value, entry.facts.get("reason")) for entry in entries]


def test_processes_read_what_others_have_noted(shelf: Shelf) -> None:
    """Whichever is asked, after half a second at most."""
    first, second = timeline(shelf), timeline(shelf, "web:2")
    first.note("kitchen", Event.TOKEN_ISSUED, participant_identity="alice")
    first.note("bedroom", Event.ROOM_READY, outcome="created")
    first.flush()
    second.note("kitchen", Event.DISPATCHED, subject="AD_1", reason="why")

    found = in_order(second.of("kitchen"))

    assert [("web:1", {"participant_identity": "alice"}), ("web:2", {"reason": "why"})] == [
        (entry.process, entry.facts) for entry in found
    ]
    assert abs(found[0].at - time.time()) < 5


def test_a_fact_that_two_processes_tell_is_shown_once(shelf: Shelf) -> None:
    """A webhook that came twice, and the look of a third process."""
    rooms = FakeLiveKit()
    alice = rooms.join("kitchen", "alice")
    for number in range(3):
        process = timeline(shelf, f"web:{number}")
        process.add(livekit_past.arrivals("kitchen", [alice]))
        process.add(livekit_past.departures("kitchen", alice, now()))
        process.flush()

    assert [("joined", None), ("left", None)] == told(timeline(shelf))


def test_a_look_that_decides_as_before_is_no_news(shelf: Shelf) -> None:
    """A room is looked at each second while its agent is on its way."""
    noted = timeline(shelf)
    for reason in ("wait", "wait", "one agent is there", "one agent is there", "wait"):
        noted.note_look("kitchen", "voice-agent", reason, now())

    assert ["wait", "one agent is there", "wait"] == [reason for _, reason in told(noted)]


def test_a_room_keeps_its_last_entries(shelf: Shelf) -> None:
    """A room that is used for weeks must not fill what all share."""
    noted = timeline(shelf)
    for number in range(MOST_ENTRIES + 50):
        noted.note("kitchen", Event.LOOKED_AT, reason=str(number))

    found = told(noted)

    assert (MOST_ENTRIES, str(MOST_ENTRIES + 49)) == (len(found), found[-1][1])


def test_nothing_is_kept_when_it_is_off() -> None:
    """TIMELINE_SECONDS=0."""
    noted = timeline(None)

    noted.note("kitchen", Event.ROOM_READY)
    noted.note_look("kitchen", "voice-agent", "wait", now())
    noted.flush()

    assert [] == noted.of("kitchen")


def test_a_name_may_have_any_character(shelf: Shelf) -> None:
    """Room names and identities are the callers' own."""
    room_name = "'; DROP TABLE entries; -- \n\u2028 küche/*?%s{}"
    noted = timeline(shelf)
    noted.note(room_name, Event.TOKEN_ISSUED, participant_identity=room_name)

    (entry,) = noted.of(room_name)

    assert (room_name, {"participant_identity": room_name}) == (entry.room_name, entry.facts)


class FullShelf:
    """A shelf that is busy for a while."""

    def __init__(self) -> None:
        self.is_busy = True
        self.kept: list[Entry] = []

    def put(self, entries: Sequence[Entry]) -> bool:
        """Refuse, or keep."""
        if not self.is_busy:
            self.kept += entries
        return not self.is_busy

    def of(self, room_name: str) -> list[Entry]:
        """Return all."""
        return [entry for entry in self.kept if entry.room_name == room_name]


def test_what_cannot_be_written_now_is_written_later_in_its_order() -> None:
    """Another process holds the file for a moment, or Redis is away."""
    shelf = FullShelf()
    noted = timeline(shelf)
    noted.note("kitchen", Event.ROOM_READY)
    noted.note("kitchen", Event.TOKEN_ISSUED)
    noted.flush()
    unwritten = told(noted)
    shelf.is_busy = False
    noted.flush()

    assert unwritten == [(entry.event.value, None) for entry in shelf.kept]
    assert 2 == len(unwritten)


def test_a_file_that_another_process_writes_is_waited_for_later(tmp_path: Path) -> None:
    """All requests of a process wait while it waits for the file."""
    path = tmp_path / "timeline.sqlite"
    shelf = TimelineFile(path, HOUR)
    assert shelf.put([Entry("kitchen", 1.0, Event.ROOM_READY, "", {})])
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")
    is_written = shelf.put([Entry("kitchen", 2.0, Event.TOKEN_ISSUED, "", {})])
    other.rollback()
    other.close()

    assert (False, True) == (
        is_written,
        shelf.put([Entry("kitchen", 2.0, Event.TOKEN_ISSUED, "", {})]),
    )


@pytest.mark.parametrize(
    "content", [None, b"no database at all" * 100], ids=["no folder", "broken"]
)
def test_a_file_that_cannot_be_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes | None
) -> None:
    """A full disk costs the timelines and nothing else; what was noted does not pile up."""
    path = tmp_path / "folder" / "timeline.sqlite"
    if content:
        path.parent.mkdir()
        path.write_bytes(content)
    noted = timeline(TimelineFile(path, HOUR))
    for _ in range(3):
        noted.note("kitchen", Event.ROOM_READY)
        noted.flush()

    assert [] == noted.of("kitchen")
    assert ["Timelines cannot be kept, going on without"] == [
        r.getMessage() for r in caplog.records
    ]


def test_the_file_forgets_what_is_old(tmp_path: Path) -> None:
    """With identities in it, too."""
    path = tmp_path / "timeline.sqlite"
    entry = Entry("kitchen", 1.0, Event.TOKEN_ISSUED, "", {"participant_identity": "alice"})
    TimelineFile(path, HOUR).put([entry])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entries SET written_at = written_at - 3601")
    connection.close()
    shelf = TimelineFile(path, HOUR)

    assert [] == shelf.of("kitchen")
    shelf.put([entry._replace(room_name="bedroom")])
    with sqlite3.connect(path) as connection:
        rooms = connection.execute("SELECT room_name FROM entries").fetchall()
    connection.close()
    assert [("bedroom",)] == rooms


def test_redis_forgets_what_is_old_and_the_oldest_rooms(
    tmp_path: Path, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of tokens for fresh rooms must not fill it."""
    monkeypatch.setattr(timeline_redis, "_MOST_ROOMS", 3)
    redis.client.flushall()
    link = RedisLink(redis.url, file_lock(tmp_path / "voice.lock"))
    shelf = TimelineRedis(link, "test:", HOUR)

    shelf.put([Entry(f"room-{n}", time.time() + n, Event.ROOM_READY, "", {}) for n in range(5)])

    kept = sorted(redis.client.keys("test:timeline:*"))
    assert ["test:timeline:room-2", "test:timeline:room-3", "test:timeline:room-4"] == kept
    assert all(3500 < redis.client.ttl(key) <= 3600 for key in kept)
    link.close()


def test_without_redis_nothing_is_lost_at_once(tmp_path: Path) -> None:
    """It waits in memory."""
    link = RedisLink("redis://127.0.0.1:9/0", file_lock(tmp_path / "voice.lock"))
    noted = timeline(TimelineRedis(link, "test:", HOUR))

    noted.note("kitchen", Event.ROOM_READY)
    noted.flush()

    assert [("room_ready", None)] == told(noted)
    link.close()


def test_a_second_dispatch_was_sent_again() -> None:
    """Until the room ends: then the name is used anew."""
    noted = [
        Entry("kitchen", float(at), event, subject, {"agent_name": "voice-agent"})
        for at, (event, subject) in enumerate(
            [
                (Event.DISPATCHED, "AD_1"),
                (Event.DISPATCHED, "AD_2"),
                (Event.ROOM_ENDED, "RM_1"),
                (Event.DISPATCHED, "AD_3"),
            ]
        )
    ]

    assert ["dispatched", "dispatched_again", "room_ended", "dispatched"] == [
        entry.event.value for entry in in_order(noted)
    ]


def test_of_two_tellings_the_fuller_counts_at_the_earlier_time() -> None:
    """LiveKit lists a dispatch without our reason; we note it when LiveKit has answered."""
    rooms = FakeLiveKit()
    dispatch = rooms.create_dispatch("kitchen", AgentOrder(agent_name="voice-agent"))
    listed = list(livekit_past.dispatches("kitchen", [dispatch]))
    ours = listed[0]._replace(
        at=listed[0].at + 0.1, facts={**listed[0].facts, "reason": "why"}, process="web:1"
    )

    (shown,) = in_order([*listed, ours])

    assert (listed[0].at, "why") == (shown.at, shown.facts["reason"])


def test_recorders_are_nobody() -> None:
    """Egress comes and goes."""
    egress = FakeLiveKit().join("kitchen", "egress", kind=ParticipantKind.OTHER)

    assert [] == [
        *livekit_past.arrivals("kitchen", [egress]),
        *livekit_past.departures("kitchen", egress, now()),
    ]


def test_what_is_kept_has_no_metadata(tmp_path: Path) -> None:
    """Identities and reasons, and nothing that a token's holder sent besides."""
    path = tmp_path / "timeline.sqlite"
    rooms = FakeLiveKit()
    alice = rooms.join("kitchen", "alice", {"mood": "a-secret"})
    noted = timeline(TimelineFile(path, HOUR))
    noted.add(livekit_past.arrivals("kitchen", [alice]))
    noted.flush()

    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT * FROM entries").fetchall()
    connection.close()
    assert (1, False) == (len(rows), "a-secret" in json.dumps(rows))
