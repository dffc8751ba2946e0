"""Reads what /metrics says, and what it could say."""

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from token_server.telemetry.metrics import Metrics

Described = dict[str, tuple[str, frozenset[str]]]


def series(text: str) -> dict[str, float]:
    """Return every series' value, by its name and labels as Prometheus writes them."""
    return {
        _written(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")  # only one process alone has these
    }


def counted(metrics: Metrics) -> dict[str, float]:
    """Return the series that are not zero."""
    found = series(metrics.exposition().decode())
    return {name: value for name, value in found.items() if value}


def all_metrics() -> Described:
    """Return type and labels of every metric by name, as Prometheus sees them."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.decisions.labels("Settled", "one agent is there")
    metrics.workers.count = lambda: {("voice-agent", "idle"): 1}
    return {
        family.name + ("_total" if family.type == "counter" else ""): (
            family.type,
            frozenset(label for sample in family.samples for label in sample.labels) - {"le"},
        )
        for family in registry.collect()
    }


def _written(name: str, labels: dict[str, str]) -> str:
    name = name.removeprefix("token_server_")
    inside = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside else name
