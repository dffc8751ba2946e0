"""Where workers' words are kept: a folder of the machine, or Redis, with the same promises."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import free_port
from tests.redis_server import RedisServer
from tests.worker_words import PROCESS, process, word
from token_server.state.machine_state import file_lock
from token_server.state.redis_link import RedisLink
from token_server.state.workers import MOST_WORKERS, WorkerStore
from token_server.state.workers_file import WorkersFile
from token_server.state.workers_redis import WorkersRedis


@pytest.fixture(params=["file", "redis"])
def stores(
    request: pytest.FixtureRequest, tmp_path: Path, redis: RedisServer
) -> Iterator[tuple[WorkerStore, WorkerStore]]:
    """Two processes that share."""
    if request.param == "file":
        yield WorkersFile(tmp_path / "workers"), WorkersFile(tmp_path / "workers")
        return
    redis.client.flushall()
    links = [RedisLink(redis.url, file_lock(tmp_path / "speaker")) for _ in range(2)]
    yield WorkersRedis(links[0], "test:"), WorkersRedis(links[1], "test:")
    for link in links:
        link.close()


def test_a_word_is_read_by_every_process(stores: tuple[WorkerStore, WorkerStore]) -> None:
    """Any of them may be asked."""
    first, second = stores
    now = time.time()
    told = word(calls=1, jobs=[{"dispatch_id": "AD_1", "room_name": "küche\n"}])

    first.put(told, now, is_first=True)
    found = second.read(now + 1)

    assert [told] == [each.word for each in found.workers]
    assert (now, now) == pytest.approx((found.workers[0].heard_at, found.since), abs=1.5)
    assert found.workers[0].word == getattr(second.of(PROCESS, now), "word", None)


def test_a_newer_word_takes_the_place_of_the_one_before(
    stores: tuple[WorkerStore, WorkerStore],
) -> None:
    """Also where the first was read already."""
    first, second = stores
    now = time.time()
    first.put(word(), now, is_first=True)
    second.read(now)

    first.put(word(sequence=2, calls=2), now, is_first=False)

    assert [2] == [each.word.calls for each in second.read(now).workers]


def test_one_that_left_is_gone_and_its_last_word_is_known(
    stores: tuple[WorkerStore, WorkerStore],
) -> None:
    """An older word of it that comes late must not bring it back."""
    first, second = stores
    now = time.time()
    first.put(word(is_leaving=True), now, is_first=True)

    assert ([], True) == (list(second.read(now).workers), second.of(PROCESS, now) is not None)


def test_what_is_known_begins_with_the_first_word_alone(
    stores: tuple[WorkerStore, WorkerStore],
) -> None:
    """By it one tells whether somebody may be missing."""
    first, _ = stores
    now = time.time()
    first.put(word(), now, is_first=True)
    since = first.read(now).since

    first.put(word(sequence=2), now + 0.1, is_first=False)

    assert since == pytest.approx(first.read(now).since, abs=0.05)


def test_nothing_is_known_where_nothing_was_told(stores: tuple[WorkerStore, WorkerStore]) -> None:
    """And what is known begins now at the earliest."""
    told = stores[0].read(1_000.0)

    assert ([], 1_000.0, None) == (
        list(told.workers),
        told.since,
        stores[0].of(PROCESS, 1_000.0),
    )


def test_a_folder_forgets_who_is_silent_for_long(tmp_path: Path) -> None:
    """And the halves of words that a killed process left."""
    store, now = WorkersFile(tmp_path / "workers"), time.time()
    store.put(word(), now, is_first=True)
    left = tmp_path / "workers" / f"{PROCESS}.word.1.2.part"
    left.touch()
    for file in (tmp_path / "workers").iterdir():
        os.utime(file, (now - 700, now - 700))

    WorkersFile(tmp_path / "workers").put(word(process=process(2)), now, is_first=False)

    assert [f"{process(2)}.word", "since"] == sorted(
        file.name for file in (tmp_path / "workers").iterdir()
    )
    assert store.read(now + 601).workers == []


def test_a_folder_keeps_a_bounded_number(tmp_path: Path) -> None:
    """Whoever has the key can invent processes."""
    folder = tmp_path / "workers"
    folder.mkdir()
    for number in range(MOST_WORKERS + 5):
        (folder / f"{process(number + 10)}.word").touch()

    WorkersFile(folder).put(word(), time.time(), is_first=True)

    assert MOST_WORKERS == len([*folder.glob("*.word")])


@pytest.mark.parametrize("text", ["", "\n", "1\n{}", "x\n{}", json.dumps({"a": 1}), "\0"])
def test_a_file_of_another_version_is_passed_over(tmp_path: Path, text: str) -> None:
    """An upgrade must not blind either side."""
    store, now = WorkersFile(tmp_path / "workers"), time.time()
    store.put(word(), now, is_first=True)
    (tmp_path / "workers" / f"{process(2)}.word").write_text(text)

    assert [PROCESS] == [each.word.process for each in store.read(now).workers]


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    """A full or missing disk fails no request."""
    (tmp_path / "file").touch()
    store = WorkersFile(tmp_path / "file" / "workers")

    store.put(word(), 1.0, is_first=True)

    assert [] == store.read(1.0).workers or () == store.read(1.0).workers


def test_without_redis_nothing_is_known(tmp_path: Path) -> None:
    """One machine's half of the words would say that nobody has a dispatch in hand."""
    link = RedisLink(f"redis://127.0.0.1:{free_port()}", file_lock(tmp_path / "speaker"))
    store = WorkersRedis(link, "test:")

    store.put(word(), 1.0, is_first=True)

    assert ((), 1.0, None) == (store.read(1.0).workers, store.read(1.0).since, store.of("x", 1.0))


def test_redis_remembers_since_when_it_knows(tmp_path: Path, redis: RedisServer) -> None:
    """The second word must not make what is known look as new as itself."""
    redis.client.flushall()
    link = RedisLink(redis.url, file_lock(tmp_path / "speaker"))
    store, seen = WorkersRedis(link, "test:"), []

    for sequence, is_first in ((1, False), (2, False), (3, True)):
        store.put(word(sequence=sequence), time.time(), is_first=is_first)
        seen.append(redis.client.get("test:workers-since"))
    link.close()

    assert seen[0] == seen[1] != seen[2]


def test_redis_keeps_a_bounded_number_that_ends_by_itself(
    tmp_path: Path, redis: RedisServer
) -> None:
    """Nothing of ours stays there for ever."""
    redis.client.flushall()
    link = RedisLink(redis.url, file_lock(tmp_path / "speaker"))
    redis.client.zadd("test:workers", {process(n): time.time() - 1 for n in range(2_000)})

    WorkersRedis(link, "test:").put(word(), time.time(), is_first=True)
    link.close()

    keys = [*redis.client.scan_iter()]
    assert MOST_WORKERS == redis.client.zcard("test:workers")
    assert 3 == len(keys)
    assert all(0 < int(redis.client.ttl(key)) <= 600 for key in keys)
