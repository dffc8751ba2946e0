"""Whose rooms are which: one process, one machine, or several with one Redis."""

import fcntl
import json
import os
import resource
import signal
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.machines import Machines
from tests.processes import free_port
from tests.redis_server import RedisServer
from token_server.state.sessions import MADE, MemorySessions, Outcome, SessionStore
from token_server.state.sessions_file import SessionsFile
from token_server.state.sessions_redis import SessionsRedis

ALICE, BOB = "a" * 32, "b" * 32
NEW, KNOWN, FULL = Outcome.NEW, Outcome.KNOWN, Outcome.FULL


@pytest.fixture(params=["memory", "file", "redis", "redis that is away"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SessionStore]:
    """Each of the stores."""
    file = SessionsFile(tmp_path / "sessions")
    if request.param == "memory":
        yield MemorySessions()
    elif request.param == "file":
        yield file
    elif request.param == "redis":
        with RedisServer(tmp_path) as redis, Machines(tmp_path, redis.url) as machines:
            yield SessionsRedis(machines.link("a"), "test:", file)
    else:
        with Machines(tmp_path, f"redis://127.0.0.1:{free_port()}") as machines:
            yield SessionsRedis(machines.link("a"), "test:", file)


def claim(store: SessionStore, *names: str, person: str = ALICE, most: int = 2) -> list[Outcome]:
    """Claim these rooms one after the other."""
    return [store.claim(person, name, most).outcome for name in names]


def test_each_person_has_so_many_rooms(store: SessionStore) -> None:
    """And the same one as often as they like."""
    assert [NEW, NEW, FULL, KNOWN] == claim(store, "küche", "hall", "attic", "küche")
    assert [NEW, NEW, FULL] == claim(store, "küche", "hall", "attic", person=BOB)


def test_who_is_full_is_told_their_rooms(store: SessionStore) -> None:
    """LiveKit is asked about them: those that are made, and those that should be."""
    made_at = store.claim(ALICE, "küche", 2).at
    store.made(ALICE, "küche", made_at)
    claimed_at = store.claim(ALICE, "hall", 2).at

    full = store.claim(ALICE, "attic", 2)

    assert (FULL, {"küche": MADE, "hall": claimed_at}) == (full.outcome, dict(full.rooms))
    assert 0 <= full.at - claimed_at < 60_000


def test_what_is_forgotten_makes_room(store: SessionStore) -> None:
    """A room that has ended."""
    store.made(ALICE, "küche", store.claim(ALICE, "küche", 1).at)

    store.forget(ALICE, {"küche": MADE, "never known": MADE})

    assert [NEW, FULL] == claim(store, "hall", "küche", most=1)


def test_a_room_that_is_made_anew_meanwhile_is_not_forgotten(store: SessionStore) -> None:
    """Between LiveKit's answer and what follows from it somebody may have asked for it again."""
    store.made(ALICE, "küche", store.claim(ALICE, "küche", 1).at)
    store.claim(ALICE, "küche", 1)

    store.forget(ALICE, {"küche": MADE})

    assert [FULL] == claim(store, "hall", most=1)


def test_an_older_claim_makes_nothing_of_a_newer_one(store: SessionStore) -> None:
    """Of two requests for one room, the second still waits for LiveKit."""
    newer = store.claim(ALICE, "küche", 1)

    store.made(ALICE, "küche", newer.at - 1)

    assert {"küche": newer.at} == dict(store.claim(ALICE, "hall", 1).rooms)


def test_of_many_claims_at_once_no_more_are_good(store: SessionStore) -> None:
    """Who opens twenty tabs at a time."""
    with ThreadPoolExecutor(20) as tabs:
        outcomes = list(tabs.map(lambda tab: store.claim(ALICE, f"room-{tab}", 3), range(20)))

    assert 3 == [found.outcome for found in outcomes].count(NEW)


def test_processes_of_one_machine_share_what_they_know(tmp_path: Path) -> None:
    """WEB_CONCURRENCY does not multiply the limit."""
    here, there = (SessionsFile(tmp_path / "sessions") for _ in range(2))

    assert [NEW, FULL] == claim(here, "hall", most=1) + claim(there, "attic", most=1)


def test_machines_with_one_redis_share_what_they_know(tmp_path: Path) -> None:
    """Nor do machines; keys end by themselves, and name nobody."""
    with RedisServer(tmp_path) as redis, Machines(tmp_path, redis.url) as machines:
        here, there = (
            SessionsRedis(machines.link(machine), "test:", MemorySessions()) for machine in "ab"
        )

        found = claim(here, "hall", most=1) + claim(there, "attic", most=1)
        (key,) = redis.client.scan_iter()
        left = redis.client.ttl(key)

    assert ([NEW, FULL], f"test:sessions:{ALICE}") == (found, key)
    assert 0 < left <= 86_400


def test_without_a_disk_each_process_keeps_its_own(tmp_path: Path) -> None:
    """A limit per process is better than none."""
    (tmp_path / "file").touch()
    store = SessionsFile(tmp_path / "file" / "sessions")

    assert [NEW, FULL] == claim(store, "hall", "attic", most=1)
    store.forget(ALICE, store.claim(ALICE, "attic", 1).rooms)
    assert [NEW] == claim(store, "attic", most=1)


RUBBISH = [
    *("{", "[]", '{"a": 1}', '{"a": {"b": "c"}}', "[" * 99_999),
    *('{"a": {"b": 1e999}}', r'{"\ud800": {"b": 0}}'),
]


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_a_file_that_cannot_be_read_begins_anew(tmp_path: Path, rubbish: str) -> None:
    """A disk that was full, or another version."""
    store = SessionsFile(tmp_path)
    (tmp_path / ALICE[:2]).write_text(rubbish)

    assert [NEW, FULL] == claim(store, "hall", "attic", most=1)


def test_a_named_pipe_in_a_files_place_holds_nobody_up(tmp_path: Path) -> None:
    """To read one takes for ever, and with it the process."""
    store = SessionsFile(tmp_path)
    os.mkfifo(tmp_path / ALICE[:2])

    assert [NEW, FULL] == claim(store, "hall", "attic", most=1)


def test_a_disk_that_is_full_forgets_nobody(tmp_path: Path) -> None:
    """It takes the first bytes of a file that grows, and half a file would be nobody's."""
    store = SessionsFile(tmp_path)
    claim(store, "hall", person=f"{ALICE[:2]}{0:030}")
    held, limits = (tmp_path / ALICE[:2]).read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(held) + 9, limits[1]))
    try:
        found = claim(store, "hall", "attic", most=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)

    assert ([NEW, FULL], held) == (found, (tmp_path / ALICE[:2]).read_bytes())


def test_nobody_waits_for_a_process_that_was_frozen_with_the_lock(tmp_path: Path) -> None:
    """The token comes some 20 ms later, and the file is left to whoever has it."""
    store = SessionsFile(tmp_path)
    with (tmp_path / ALICE[:2]).open("w+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        found = claim(store, "hall", "attic", most=1)

        assert ([NEW, FULL], "") == (found, held.read())


def growth(store: MemorySessions, first: int, count: int) -> int:
    """Let so many persons claim a room; return by how many bytes memory has grown."""
    before, _ = tracemalloc.get_traced_memory()
    for number in range(first, first + count):
        store.claim(f"{number:032}", "room", 2)
    return tracemalloc.get_traced_memory()[0] - before


def test_memory_does_not_grow_with_the_number_of_persons() -> None:
    """Who has an IPv6 network is as many as they like."""
    store = MemorySessions(most_rooms=1000)
    tracemalloc.start()
    try:
        first, more = growth(store, 0, 1500), growth(store, 1500, 5000)
    finally:
        tracemalloc.stop()

    assert (True, True) == (first < 500_000, more < 20_000), (first, more)


def test_files_do_not_grow_with_the_number_of_persons(tmp_path: Path) -> None:
    """Those who have not asked for longest are forgotten; one who asks on is not."""
    store = SessionsFile(tmp_path)
    claim(store, "hall", "attic")
    for number in range(500):
        store.claim(f"{ALICE[:2]}{number:030}", "room", 2)
        if number % 100 == 0:
            claim(store, "hall")

    assert [FULL] == claim(store, "cellar")
    (file,) = tmp_path.iterdir()
    assert 128 == len(json.loads(file.read_text()))
