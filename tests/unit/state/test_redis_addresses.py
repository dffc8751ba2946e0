"""REDIS_URL as people have it, with a real redis-server: a user, a database, a socket file."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from tests.environ import settings
from tests.redis_server import RedisServer
from tests.snippets import snippet
from tests.worker_words import PROCESS, word
from token_server.auth.rate_limits import RateLimits
from token_server.errors import RedisUnavailableError
from token_server.state.machine_state import MachineState, file_lock
from token_server.state.redis_link import RedisLink
from token_server.state.redis_state import RedisState
from token_server.state.sessions import MADE, MemorySessions
from token_server.state.sessions_redis import SessionsRedis
from token_server.state.timeline import Entry, Event
from token_server.state.timeline_redis import TimelineRedis
from token_server.state.workers_redis import WorkersRedis

USER = snippet("docs/settings.md", "ACL SETUSER")
RUNS = [USER]
PREFIX = "livekit-token-server:test:"
# What all uses of Redis leave there; the locks are given back.
LEFT = {"LIMITS:", "caller:PA_1", "sending:kitchen", "timeline:kitchen", "timelines", "webhook"}
LEFT |= {f"worker:{PROCESS}", "workers", "workers-since", "sessions:alice"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis that wants a password, and knows the documented user."""
    with RedisServer(tmp_path_factory.mktemp("guarded"), password="of-the-owner") as running:
        command: Callable[..., object] = running.client.execute_command
        command(*USER.text.replace("PASSWORD", "p@ss/word").split())
        yield running


def redis_has_met(link: RedisLink) -> bool:
    """Whether Redis knows of one process."""
    return bool(link.ask(lambda redis: redis.zcard(f"{PREFIX}members")))


def use_everything(link: RedisLink, folder: Path) -> bool:
    """Do all that a token server does with Redis; whether each of it was done there."""
    state = RedisState(MachineState(folder), link, PREFIX)
    with state.hold_room("kitchen") as is_held:
        state.webhook_arrived()
        state.beat()  # renews the lease
    is_met = redis_has_met(link) if state.meet() else False
    is_counted = state.count_caller("PA_1")
    is_sent = state.note_sending("kitchen") > 0 and state.note_sending("kitchen") == 0
    shelf = TimelineRedis(link, PREFIX, timedelta(hours=1))
    shelf.put([Entry("kitchen", time.time(), Event.DISPATCHED, "AD_1", {}, "p")])
    store = WorkersRedis(link, PREFIX)
    store.put(word(), time.time(), is_first=True)
    RateLimits(["9/minute"], link).spend("address", "192.0.2.1")
    sessions = SessionsRedis(link, PREFIX, MemorySessions())
    sessions.made("alice", "kitchen", sessions.claim("alice", "kitchen", 1).at)
    sessions.forget("alice", {"hall": MADE})
    state.resign()
    told = (
        bool(shelf.of("kitchen")),
        bool(store.read(time.time()).workers),
        bool(store.of(PROCESS, 0)),
    )
    return all((is_held, is_met, is_counted, is_sent, *told))


@pytest.mark.parametrize(
    ("address", "database"),
    [
        pytest.param("redis://token-server:p%40ss%2Fword@127.0.0.1:{port}", 0, id="user"),
        pytest.param("redis://token-server:p%40ss%2Fword@127.0.0.1:{port}/3", 3, id="database"),
        pytest.param("unix://token-server:p%40ss%2Fword@{socket}?db=5", 5, id="socket"),
    ],
)
def test_every_use_of_redis_works_with_the_documented_user(
    tmp_path: Path, guarded: RedisServer, address: str, database: int
) -> None:
    """Each right that is missing shows only when its command is first needed."""
    url = address.format(port=guarded.port, socket=guarded.socket)
    link = RedisLink(settings(REDIS_URL=url).redis_url, file_lock(tmp_path / "speaker"))

    assert use_everything(link, tmp_path)

    link.close()
    with Redis.from_url(f"unix://:of-the-owner@{guarded.socket}?db={database}") as owner:
        keys = {key.decode().removeprefix(PREFIX) for key in owner.scan_iter()}
    assert LEFT == {"LIMITS:" if key.startswith("LIMITS:") else key for key in keys}


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(lambda redis: redis.get("of-others"), id="read"),
        pytest.param(lambda redis: redis.set("of-others", 1), id="write"),
        pytest.param(lambda redis: redis.flushall(), id="drop all"),
        pytest.param(lambda redis: redis.swapdb(0, 1), id="exchange databases"),
        pytest.param(lambda redis: redis.eval("redis.call('GET', 'of-others')", 0), id="script"),
    ],
)
def test_the_documented_user_can_do_nothing_with_keys_of_others(
    tmp_path: Path, guarded: RedisServer, question: Callable[[Redis], object]
) -> None:
    """Or it need not have one of its own."""
    url = f"redis://token-server:p%40ss%2Fword@127.0.0.1:{guarded.port}"
    link = RedisLink(url, file_lock(tmp_path / "speaker"))

    assert link.ask(lambda redis: redis.ping())
    with pytest.raises(RedisUnavailableError):
        link.ask(question)
    link.close()
