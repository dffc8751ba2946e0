"""How many API calls a livekit-server has answered, by its own Prometheus counter."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from tests import plain_http
from tests.processes import free_port

_VARIABLE = "LIVEKIT_PROMETHEUS_PORT"
# livekit-server 1.13.5, pkg/telemetry/prometheus: one line a method and status.
_COUNTER = re.compile(r"^livekit_node_twirp_request_status\{.*\} (\S+)$", re.MULTILINE)


class CallCounter:
    """Reads the counter of the livekit-server that was started while `counting` ran."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/metrics"

    def total(self) -> int:
        """Return the number of calls so far."""
        return count_calls(plain_http.get(self._url).data.decode())


def count_calls(page: str) -> int:
    """Return the sum of the counter's lines on a page of metrics."""
    return sum(int(float(value)) for value in _COUNTER.findall(page))


@contextmanager
def counting() -> Iterator[CallCounter]:
    """Give a livekit-server that is started in this block a port for its metrics."""
    port = free_port()
    os.environ[_VARIABLE] = str(port)
    try:
        yield CallCounter(port)
    finally:
        del os.environ[_VARIABLE]
