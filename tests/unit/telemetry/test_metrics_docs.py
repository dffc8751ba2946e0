"""docs/metrics.md against what is counted."""

import re

from prometheus_client import CollectorRegistry

from tests.exposition import Described, all_metrics
from tests.processes import ROOT
from token_server.telemetry.metrics import METHODS, Metrics

DOCS = (ROOT / "docs/metrics.md").read_text()
ROW = re.compile(r"^\| `(token_server_\w+)` \| (\w+) \|([^|]*)\| \S", re.MULTILINE)


def in_the_table() -> Described:
    """Return type and labels by name, as the table has them."""
    return {
        name: (kind, frozenset(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in ROW.findall(DOCS)
    }


def test_the_table_is_what_is_counted() -> None:
    """A dashboard is built from it."""
    assert all_metrics() == in_the_table()


def test_every_name_in_a_query_is_counted() -> None:
    """An alert on a name that does not exist never fires."""
    queries = "".join(re.findall(r"```promql\n(.*?)```", DOCS, re.DOTALL))

    asked = {
        re.sub(r"_(bucket|count|sum)$", "", name)
        for name in re.findall(r"token_server_\w+", queries)
    }

    assert (True, set()) == (len(asked) > 3, asked - all_metrics().keys())


def test_the_number_of_series_is_bounded_as_the_page_says() -> None:
    """Rooms and people must not become labels: that is how monitoring systems die."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    for number in range(20):  # reasons in decisions.py, and HTTP statuses: about a dozen each
        metrics.decisions.labels("DeleteDispatch", str(number))
        metrics.webhooks_refused.labels(400 + number)
    for method in METHODS:
        metrics.livekit_called(method, "ok", 0.1)

    series = [
        sample
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    ]

    (said,) = re.findall(r"at most some (\d+) series", DOCS)
    assert len(series) <= int(said), len(series)
