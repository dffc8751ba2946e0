"""What Prometheus is shown, by one process."""

import pytest
from prometheus_client import CollectorRegistry

from tests.exposition import counted, series
from token_server.telemetry.metrics import CALL_OUTCOMES, LOOK_OUTCOMES, METHODS, Metrics


@pytest.fixture
def metrics() -> Metrics:
    """Metrics that nothing has counted yet."""
    return Metrics(CollectorRegistry())


def test_what_has_not_happened_yet_is_shown_as_zero(metrics: Metrics) -> None:
    """`increase()` misses the first error of a series that begins with it."""
    shown = series(metrics.exposition().decode())

    looks = {f'looks_total{{outcome="{outcome}"}}' for outcome in LOOK_OUTCOMES}
    calls = {
        f'livekit_calls_total{{method="{method}",outcome="{outcome}"}}'
        for method in METHODS
        for outcome in CALL_OUTCOMES
    }
    assert (set(), {0.0}) == ((looks | calls) - shown.keys(), set(shown.values()))


def test_a_call_is_counted_and_timed(metrics: Metrics) -> None:
    """How many, how they ended, how long they took."""
    metrics.livekit_called("CreateRoom", "refused", 0.3)

    found = counted(metrics)
    assert (1, 1, 0.3) == (
        found['livekit_calls_total{method="CreateRoom",outcome="refused"}'],
        found['livekit_call_seconds_bucket{le="0.5",method="CreateRoom"}'],
        found['livekit_call_seconds_sum{method="CreateRoom"}'],
    )
    assert 'livekit_call_seconds_bucket{le="0.25",method="CreateRoom"}' not in found


def test_the_bounds_tell_a_join_of_a_tenth_from_one_of_a_minute(metrics: Metrics) -> None:
    """Else every percentile would be "less than a minute"."""
    for seconds in (0.05, 0.6, 6.0, 59.0, 61.0):
        metrics.join_to_attended.observe(seconds)

    found = counted(metrics)
    assert [1, 2, 3, 4, 5] == [
        found[f'join_to_attended_seconds_bucket{{le="{bound}"}}']
        for bound in ("0.1", "0.75", "8.0", "60.0", "+Inf")
    ]


def test_two_servers_in_one_process_count_apart() -> None:
    """Nothing is registered globally: tests, and whoever embeds the application, rely on it."""
    first, second = Metrics(CollectorRegistry()), Metrics(CollectorRegistry())

    first.tokens_issued.inc()

    assert ({"tokens_issued_total": 1.0}, {}) == (counted(first), counted(second))
