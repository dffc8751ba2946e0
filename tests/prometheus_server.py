"""A real Prometheus on loopback, with the files that operators get."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests import plain_http
from tests.processes import ROOT, Process, free_port, wait_until

FILES = ROOT / "docs/monitoring"
_EXAMPLE = {
    "scheme: https": "scheme: http",
    "scrape_interval: 5s": "scrape_interval: 1s",
    "evaluation_interval: 5s": "evaluation_interval: 1s",
}


class PrometheusServer:
    """Scrapes one token server every second. A context manager.

    Args:
        folder: Where its data and files lie.
        target: HOST:PORT of the token server.
        operator_key: One of OPERATOR_KEY.
    """

    def __init__(self, folder: Path, target: str, operator_key: str) -> None:
        self._port = free_port()
        self._log = folder / "prometheus.log"
        config = _changed(
            (FILES / "prometheus.yml").read_text(), _EXAMPLE | {"tokens.example.com": target}
        )
        (folder / "prometheus.yml").write_text(config)
        (folder / "alerts.yml").write_text((FILES / "alerts.yml").read_text())
        (folder / "token-server.key").write_text(operator_key)
        self._command = [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
        ]

    def __enter__(self) -> Self:
        self._process = Process(self._command, os.environ, self._log)
        self._http = plain_http.Client(f"http://127.0.0.1:{self._port}/api/v1/")
        self._process.wait_for_output("Server is ready to receive web requests")
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self._process.stop()

    def ask(self, expression: str) -> dict[str, float]:
        """Return the value of each series, by its labels as JSON-like text; {} if there is none."""
        found = self._get("query", query=expression)["result"]
        return {str(series["metric"]): float(series["value"][1]) for series in found}

    def label_values(self, label: str, selector: str) -> list[str]:
        """Return what Grafana offers to choose from: `label_values(selector, label)`."""
        found: list[str] = self._get(f"label/{label}/values", **{"match[]": selector})
        return found

    def wait_until_it_has(self, expression: str, *, within: float = 10.0) -> None:
        """Wait until there is a series."""
        wait_until(lambda: self.ask(expression), within=within, what=f"data of {expression}")

    def rules(self) -> dict[str, dict[str, Any]]:
        """Return the loaded alert rules by name."""
        groups = self._get("rules", type="alert")["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}

    def _get(self, path: str, **params: str) -> Any:  # noqa: ANN401  # whatever it answers
        answer = self._http.get(path, params=params).json()
        assert answer["status"] == "success", (params, answer)
        return answer["data"]


def _changed(text: str, changes: Mapping[str, str]) -> str:
    """Change what a test has otherwise; each of it has to be there."""
    for before, after in changes.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text
