"""An OpenTelemetry collector on loopback that keeps what it is sent."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from tests.loopback import Loopback


@dataclass(frozen=True)
class Delivered:
    """One span as it came: ids in bytes, times in seconds since 1970."""

    name: str
    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    began: float
    ended: float
    attributes: dict[str, str] = field(hash=False)
    resource: dict[str, str] = field(hash=False)


class Collector(Loopback):
    """Takes traces over OTLP/HTTP; refuses them with `status`, if it is an error."""

    def __init__(self) -> None:
        self.spans: list[Delivered] = []
        self.keys: list[str | None] = []  # the header api-key of each batch that came
        self.status = 200
        super().__init__(self._handler())

    @property
    def environ(self) -> dict[str, str]:
        """The variables that send traces here, often."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }

    def named(self, name: str) -> list[Delivered]:
        """Return the spans of this name."""
        return [span for span in self.spans if span.name == name]

    def _take(self, body: bytes) -> None:
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = _plain(resource_spans.resource.attributes)
            for scope_spans in resource_spans.scope_spans:
                self.spans += [
                    Delivered(
                        name=span.name,
                        trace_id=span.trace_id,
                        span_id=span.span_id,
                        parent_id=span.parent_span_id,
                        began=span.start_time_unix_nano / 1e9,
                        ended=span.end_time_unix_nano / 1e9,
                        attributes=_plain(span.attributes),
                        resource=resource,
                    )
                    for span in scope_spans.spans
                ]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                """Take one batch."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.keys.append(self.headers["api-key"])
                if self.path == "/v1/traces" and collector.status == 200:
                    collector._take(body)
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


def _plain(attributes: Iterable[KeyValue]) -> dict[str, str]:
    """Return strings as they are, numbers as text, and lists of strings joined by commas."""
    found = {}
    for attribute in attributes:
        value = attribute.value
        kind = value.WhichOneof("value")
        if kind == "array_value":
            found[attribute.key] = ",".join(v.string_value for v in value.array_value.values)
        else:
            found[attribute.key] = str(getattr(value, kind or "string_value"))
    return found
