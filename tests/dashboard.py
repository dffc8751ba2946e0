"""Reads the Grafana dashboard as Grafana does."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.processes import ROOT

DASHBOARD = json.loads((ROOT / "docs/monitoring/grafana-dashboard.json").read_text())
PANELS: list[dict[str, Any]] = [p for p in DASHBOARD["panels"] if p["type"] != "row"]
VARIABLES: list[dict[str, Any]] = DASHBOARD["templating"]["list"]


def queries(panel: dict[str, Any]) -> list[str]:
    """Return a panel's queries as they stand there."""
    return [target["expr"] for target in panel["targets"]]


def all_queries() -> Iterator[tuple[str, str]]:
    """Give each query with its panel's title."""
    for panel in PANELS:
        for query in queries(panel):
            yield panel["title"], query


def substituted(query: str) -> str:
    """Put in what Grafana puts in where all jobs and machines are chosen, of the last minute."""
    values = {variable["name"]: variable.get("allValue", "") for variable in VARIABLES}
    values |= {"__rate_interval": "1m", "__range": "1m"}
    return re.sub(r"\$(\w+)", lambda match: values[match[1]], query)
