"""What /readyz asks, and how often."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.fakes import FakeLiveKit
from tests.machines import Machines
from tests.processes import free_port, wait_until
from tests.redis_server import RedisServer
from token_server.errors import LiveKitUnavailableError, TokenServerError
from token_server.http_api.readiness import OnceASecond, Readiness


class Asked:
    """Counts what is asked, and answers with the number when it is let."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.now, self.times, self.may_answer = 100.0, 0, Event()
        self.may_answer.set()
        self.error = error

    def __call__(self) -> int:
        """Answer, or raise the error."""
        self.times += 1
        assert self.may_answer.wait(timeout=10)
        if self.error:
            raise self.error
        return self.times

    def clock(self) -> float:
        """Tell the time that the test says it is."""
        return self.now


def outcome(answer: Callable[[], int]) -> int | str:
    """Return the answer, or the text of the error."""
    try:
        return answer()
    except TokenServerError as error:
        return str(error)


def test_an_answer_is_good_for_a_second() -> None:
    """And then the next one who asks gets a new one."""
    asked = Asked()
    once = OnceASecond(asked, asked.clock)
    found = []
    for asked.now in (100.0, 100.5, 100.99, 101.0, 101.9, 102.1):
        found.append(once.answer())

    assert [1, 1, 1, 2, 2, 3] == found


def test_an_answer_may_be_good_for_longer_than_an_error() -> None:
    """A LiveKit with a quota is not asked each second that it answers, and is when it does not."""
    asked = Asked()
    once = OnceASecond(asked, asked.clock, good_for=10.0)
    found = []
    for asked.now, asked.error in (
        (100.0, None),
        (109.9, None),
        (110.0, LiveKitUnavailableError("x")),
        (110.9, None),
        (111.0, None),
    ):
        found.append(outcome(once.answer))

    assert [1, 1, "x", "x", 3] == found


def test_an_error_is_an_answer() -> None:
    """A LiveKit that is down is asked no more often than one that is up."""
    asked = Asked(LiveKitUnavailableError("x"))
    once = OnceASecond(asked, asked.clock)

    found = [outcome(once.answer) for _ in range(5)]

    assert (["x"] * 5, 1) == (found, asked.times)


def test_an_error_that_many_get_does_not_grow() -> None:
    """Python adds a line to an error for each place that raises it."""
    asked = Asked(LiveKitUnavailableError("x"))
    once = OnceASecond(asked, asked.clock)
    for _ in range(100):
        outcome(once.answer)

    with pytest.raises(LiveKitUnavailableError) as raised:
        once.answer()

    assert len(raised.traceback) < 5


def test_the_second_begins_with_the_answer() -> None:
    """A LiveKit that takes five seconds is not asked again at once."""
    asked = Asked()

    def slow() -> int:
        asked.now += 5
        return asked()

    once = OnceASecond(slow, asked.clock)

    assert [1, 1] == [once.answer(), once.answer()]


@pytest.mark.parametrize("error", [None, LiveKitUnavailableError("x")], ids=["answer", "error"])
def test_who_comes_meanwhile_waits_for_the_same_answer(error: Exception | None) -> None:
    """However many they are when the second is over."""
    asked = Asked(error)
    once = OnceASecond(asked, asked.clock)
    outcome(once.answer)
    asked.now += 1
    asked.may_answer.clear()
    with ThreadPoolExecutor(50) as threads:
        waiting = [threads.submit(outcome, once.answer) for _ in range(50)]
        wait_until(lambda: all(one.running() for one in waiting), within=5, what="all ask")
        is_answered = any(one.done() for one in waiting)
        asked.may_answer.set()
        found = {one.result(timeout=5) for one in waiting}

    assert (False, {"x" if error else 2}, 2) == (is_answered, found, asked.times)


def test_nobody_waits_for_one_who_was_stopped() -> None:
    """The question may be given up with whoever has put it: a greenlet that is killed, say."""
    asked = Asked(SystemExit())
    once = OnceASecond(asked, asked.clock)
    asked.may_answer.clear()

    def ask() -> None:
        with suppress(SystemExit):
            once.answer()

    first = Thread(target=ask)
    first.start()
    wait_until(lambda: asked.times, within=5, what="the first asks")
    with ThreadPoolExecutor(1) as threads:
        second = threads.submit(outcome, once.answer)
        wait_until(second.running, within=5, what="the second waits")
        asked.may_answer.set()

        assert "the question was given up" == second.result(timeout=5)
    first.join()


def test_without_redis_nothing_is_said_of_it() -> None:
    """Most have one machine."""
    rooms = FakeLiveKit()
    readiness = Readiness(rooms)

    assert [{"status": "ready"}] * 3 == [readiness.check() for _ in range(3)]
    assert 1 == len(rooms.calls)


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that this test may kill."""
    with RedisServer(tmp_path) as running:
        yield running


def test_a_redis_that_answers_is_ready(tmp_path: Path, mortal: RedisServer) -> None:
    """Whoever sets REDIS_URL wants to know that it works."""
    with Machines(tmp_path, mortal.url) as machines:
        found = Readiness(FakeLiveKit(), machines.link("a")).check()

    assert {"status": "ready", "redis": "ready"} == found


def test_without_redis_we_are_ready_and_say_so(tmp_path: Path) -> None:
    """Everything goes on, so no balancer is to take the machine out."""
    with Machines(tmp_path, f"redis://127.0.0.1:{free_port()}") as machines:
        found = Readiness(FakeLiveKit(), machines.link("a")).check()

    assert {"status": "ready", "redis": "unavailable"} == found


def test_a_redis_that_hangs_is_asked_once_a_second(tmp_path: Path, mortal: RedisServer) -> None:
    """As LiveKit is."""
    with Machines(tmp_path, mortal.url) as machines:
        readiness = Readiness(FakeLiveKit(), machines.link("a", try_again_after=60))
        mortal.freeze()
        asked_at = time.monotonic()
        found = [readiness.check()["redis"] for _ in range(100)]
        took = time.monotonic() - asked_at
        mortal.thaw()

    # 30 s if each waited.
    assert (["unavailable"] * 100, True) == (found, took < 5)
