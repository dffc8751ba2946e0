"""Spans, and the traces that they belong to."""

from collections.abc import Iterable, Sequence

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from token_server.tracing.calls import Call
from token_server.tracing.names import ERROR_TYPE, REASON, RPC_METHOD, RPC_SYSTEM, Attributes

_PROPAGATOR = TraceContextTextMapPropagator()
_HEADER = "traceparent"
_LENGTH = 55  # characters of version 00


def context_of(unverified_traceparent: str) -> Context:
    """Return what a W3C traceparent says to go on with; the beginning of a trace if nothing.

    Source:
        https://www.w3.org/TR/trace-context/#traceparent-header
    """
    if len(unverified_traceparent) != _LENGTH:
        # The propagator would write a line to the log for each that is too long.
        return Context()
    return _PROPAGATOR.extract({_HEADER: unverified_traceparent}, Context())


def traceparent_of(span: Span) -> str:
    """Return what others need to go on with this span's trace; "" if nobody keeps the trace."""
    context = span.get_span_context()
    if not context.trace_flags.sampled:
        return ""
    ids = f"{context.trace_id:032x}-{context.span_id:016x}"
    return f"00-{ids}-{context.trace_flags:02x}"


def links_to(traceparents: Iterable[str]) -> list[Link]:
    """Return links to the spans of other traces."""
    contexts = [context_of(traceparent) for traceparent in traceparents]
    return [Link(get_current_span(context).get_span_context()) for context in contexts]


def fail(span: Span, error: str) -> None:
    """Mark a span as failed, with the error's name."""
    span.set_attribute(ERROR_TYPE, error)
    span.set_status(Status(StatusCode.ERROR))


def add_calls(
    tracer: Tracer, parent: Span, calls: Sequence[Call], reasons: Sequence[str] = ()
) -> None:
    """Put calls to LiveKit under the span of the request or look that made them.

    Args:
        tracer: Who makes the spans.
        parent: The request's or look's span.
        calls: The calls.
        reasons: Why each of them was made; "" for those that only ask.
    """
    context = set_span_in_context(parent, Context())
    for number, call in enumerate(calls):
        reason = reasons[number] if number < len(reasons) else ""
        span = tracer.start_span(
            call.method,
            context,
            SpanKind.CLIENT,
            _attributes(call, reason),
            start_time=call.began,
        )
        if call.error:
            fail(span, call.error)
        span.end(call.ended)


def _attributes(call: Call, reason: str) -> Attributes:
    service = "AgentDispatchService" if call.method.endswith("Dispatch") else "RoomService"
    why: Attributes = {REASON: reason} if reason else {}
    rpc: Attributes = {RPC_SYSTEM: "twirp", RPC_METHOD: f"livekit.{service}/{call.method}"}
    return rpc | call.attributes | why
