"""How many workers of ours are how, for Prometheus: counted when it asks any of the processes.

All processes know the same of them, so none of them adds anything to what another one says.
"""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_NAME = "token_server_workers"
_MEANING = "Workers that have told where they are, by agent name and state."


class WorkerGauge(Collector):
    """Shows what it is given.

    Attributes:
        count: Returns the number of workers of each agent name and state.
    """

    def __init__(self) -> None:
        self.count: Callable[[], Mapping[tuple[str, str], int]] = dict

    def collect(self) -> Iterator[Metric]:
        """Count anew."""
        shown = GaugeMetricFamily(_NAME, _MEANING, labels=("agent_name", "state"))
        for labels, number in self.count().items():
            shown.add_metric(labels, number)
        yield shown
