"""Scrapes /metrics of a deployment as Prometheus does, and fetches tokens to be counted."""

from tests import plain_http
from tests.exposition import series
from tests.system.deployment import Deployment

SETTINGS = {"OPERATOR_KEY": "operator", "WEB_CONCURRENCY": "2"}
_KEY = {"Authorization": "Bearer operator"}
_GAUGES = (
    "rooms_followed",
    "rooms_swept",
    "sweep_interval_seconds",
    "life_interval_seconds",
    "longest_unattended_seconds",
    "redis_unavailable",
    "workers",
    "last_turn_timestamp_seconds",
)


def scrape(running: Deployment) -> dict[str, float]:
    """Ask over a new connection, so that either process may answer."""
    answer = plain_http.get(f"{running.web_url}/metrics", headers=_KEY, timeout=15)
    return series(plain_http.good(answer).data.decode())


def fetch_tokens(running: Deployment, room_name: str, number: int) -> None:
    """Fetch so many tokens, each over a new connection."""
    for _ in range(number):
        url, params = f"{running.web_url}/token", {"room_name": room_name}
        plain_http.good(plain_http.get(url, params=params))


def _counters(shown: dict[str, float]) -> dict[str, float]:
    """Leave out what may go down."""
    return {name: value for name, value in shown.items() if not name.startswith(_GAUGES)}


def went_back(before: dict[str, float], after: dict[str, float]) -> set[str]:
    """Return the counters that are smaller now, or gone."""
    return {name for name, value in _counters(before).items() if after.get(name, -1.0) < value}
