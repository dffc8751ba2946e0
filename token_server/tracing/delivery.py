"""How spans leave the process: in batches, over OTLP/HTTP, in a thread of their own.

The SDK and its exporter read the standard variables by themselves. A collector that does not answer
holds up nobody; the log says so once, and once when it answers again.
"""

import logging
import os
import platform
import re
from collections.abc import Sequence
from threading import Thread

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from token_server import __version__
from token_server.telemetry.outage import Outage

logger = logging.getLogger(__name__)

_SERVICE_NAME = "livekit-token-server"
_UNNAMED = "unknown_service"  # what the SDK says where no variable has a name
# Seconds that the end of the process waits for a collector.
_LAST_DELIVERY = 2.0
# What a collector's URL may hold is nobody's business.
_PATH = re.compile(r"with url: \S+")


class Delivery:
    """One process's way to the collector; nothing is started or connected before `start`."""

    def __init__(self) -> None:
        self.provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)

    def start(self) -> None:
        """Deliver from now on, in a thread of this process."""
        try:
            self.provider.add_span_processor(BatchSpanProcessor(ToldOnce(OTLPSpanExporter())))
        except ValueError as error:
            # One of the variables; tokens are worth more than traces of them.
            logger.warning("Traces cannot be delivered", extra={"reason": str(error)})

    def stop(self) -> None:
        """Deliver what there is, if the collector takes it soon, and end."""
        last = Thread(target=self.provider.shutdown, daemon=True)
        last.start()
        last.join(_LAST_DELIVERY)


class ToldOnce(SpanExporter):
    """An exporter that says once that it fails, and once that it does no more."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter, self._outage = exporter, Outage()
        self._why = FirstWords()
        self._its_logger = logging.getLogger("opentelemetry.exporter")
        self._its_logger.addHandler(self._why)
        self._its_logger.propagate = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Deliver spans."""
        self._why.said = ""
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            if self._outage.ends():
                logger.info("Traces are delivered again")
        elif self._outage.begins():
            logger.warning("Traces cannot be delivered", extra={"reason": self._why.said})
        return result

    def shutdown(self) -> None:
        """End."""
        self._exporter.shutdown()
        self._its_logger.removeHandler(self._why)
        self._its_logger.propagate = True


class FirstWords(logging.Handler):
    """Keeps what was logged first, which has the cause, and shows it to nobody by itself."""

    said = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, if nothing was said before."""
        self.said = self.said or _PATH.sub("", record.getMessage())


def _resource() -> Resource:
    """Say who we are, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES do."""
    ours = Resource(
        {
            "service.version": __version__,
            "host.name": platform.node(),
            "process.pid": os.getpid(),
        }
    )
    found = ours.merge(Resource.create())
    if str(found.attributes["service.name"]).startswith(_UNNAMED):
        return found.merge(Resource({"service.name": _SERVICE_NAME}))
    return found
