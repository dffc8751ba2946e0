"""Loops that die, in real threads."""

from collections.abc import Callable
from threading import Event

import pytest
from prometheus_client import CollectorRegistry

from tests.exposition import series
from tests.processes import wait_until
from token_server.keeper.loops import Loop
from token_server.telemetry.metrics import Metrics


class Dying:
    """A turn that ends with this error the first time, and well from then on."""

    def __init__(self, error: BaseException) -> None:
        self._errors, self.turns = [error], 0

    def __call__(self) -> float:
        """Turn, or die."""
        if self._errors:
            raise self._errors.pop()
        self.turns += 1
        return 0.01


def run(turn: Callable[[], float], until: Callable[[], bool]) -> Metrics:
    """Run a loop of that turn until something holds."""
    stopping, metrics = Event(), Metrics(CollectorRegistry())
    loop = Loop("beat", turn, stopping, metrics)
    loop.start()
    wait_until(until, within=10, what="the loop turns")
    stopping.set()
    loop.join(5)
    return metrics


@pytest.mark.parametrize("error", [ZeroDivisionError(), MemoryError(), SystemExit(1)], ids=repr)
def test_a_loop_that_dies_is_started_again_and_seen(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """Rooms must not be left to nobody, silently."""
    dying = Dying(error)

    metrics = run(dying, until=lambda: dying.turns > 1)

    shown = series(metrics.exposition().decode())
    assert (1.0, 0.0) == (
        shown['loop_deaths_total{loop="beat"}'],
        shown['loop_deaths_total{loop="look"}'],
    )
    (said,) = caplog.records
    assert (type(error), "beat") == (said.exc_info and said.exc_info[0], vars(said)["loop"])


def test_the_last_turn_is_shown() -> None:
    """What an alert compares with the time."""
    dying = Dying(ZeroDivisionError())
    before = 1_700_000_000

    metrics = run(dying, until=lambda: dying.turns > 1)

    shown = series(metrics.exposition().decode())
    assert shown['last_turn_timestamp_seconds{loop="beat"}'] > before
    assert 0.0 == shown['last_turn_timestamp_seconds{loop="sweep"}']


def test_where_telling_fails_too_the_loop_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, no memory: the log and the count are the least of it."""
    dying = Dying(MemoryError())
    stopping, metrics = Event(), Metrics(CollectorRegistry())
    monkeypatch.delattr(metrics, "loop_deaths")
    loop = Loop("beat", dying, stopping, metrics)

    loop.start()

    wait_until(lambda: dying.turns > 0, within=10, what="the loop turns")
    stopping.set()
    loop.join(5)
