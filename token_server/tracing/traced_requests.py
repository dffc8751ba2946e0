"""The spans of requests: `token`, and `webhook` with the event's name."""

import time
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from livekit.protocol.webhook import WebhookEvent
from opentelemetry.trace import Span, SpanKind, Tracer

from token_server.http_api.token_endpoint import JOIN_KEY, TRACEPARENT_KEY
from token_server.http_api.webhook_endpoint import EVENT_KEY
from token_server.keeper.awaited_humans import AwaitedHumans
from token_server.livekit.protobufs import to_participant
from token_server.tokens.joins import JoinAnswer
from token_server.tokens.tickets import TicketSealer
from token_server.tracing.calls import record
from token_server.tracing.names import (
    HTTP_METHOD,
    HTTP_ROUTE,
    HTTP_STATUS,
    PARTICIPANT_IDENTITY,
    ROOM_NAME,
    URL_PATH,
    URL_SCHEME,
    WEBHOOK_ID,
    Attributes,
)
from token_server.tracing.spans import add_calls, context_of, fail, traceparent_of

_SERVER_ERROR = "5"  # the first digit


class TracedRequests:
    """WSGI middleware around the whole application.

    Args:
        behind: The application.
        tracer: Who makes the spans.
        sealer: Opens the tickets that webhooks bring.
        arrivals: Told of each token that was traced, by its traceparent.
    """

    def __init__(
        self, behind: WSGIApplication, tracer: Tracer, sealer: TicketSealer, arrivals: AwaitedHumans
    ) -> None:
        self._behind, self._tracer = behind, tracer
        self._sealer, self._arrivals = sealer, arrivals

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Trace a request for a token, and a webhook that says who came or went."""
        if environ["PATH_INFO"] == "/token" and environ["REQUEST_METHOD"] in {"GET", "POST"}:
            return self._token(environ, start_response)
        began = time.time_ns()
        body = self._behind(environ, start_response)
        if event := environ.get(EVENT_KEY):
            self._tell_webhook(event, _asked(environ), began)
        return body

    def _token(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Go on with the frontend's trace, if it has sent one."""
        parent = context_of(environ.get("HTTP_TRACEPARENT", ""))
        span = self._tracer.start_span("token", parent, SpanKind.SERVER, _asked(environ))
        traceparent = environ[TRACEPARENT_KEY] = traceparent_of(span)
        if not traceparent:
            return self._behind(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:  # noqa: ANN401  # WSGI's
            span.set_attribute(HTTP_STATUS, int(status[:3]))
            if status >= _SERVER_ERROR:
                fail(span, status[:3])
            return start_response(status, headers, *more)

        try:
            with record() as recording:
                return self._behind(environ, start)
        finally:
            add_calls(self._tracer, span, recording.calls)
            self._tell_join(span, traceparent, environ.get(JOIN_KEY))
            span.end()

    def _tell_join(self, span: Span, traceparent: str, join: JoinAnswer | None) -> None:
        if join is None:
            return
        span.set_attribute(ROOM_NAME, join.room_name)
        span.set_attribute(PARTICIPANT_IDENTITY, join.participant_identity)
        self._arrivals.expect(traceparent)

    def _tell_webhook(self, event: WebhookEvent, asked: Attributes, began: int) -> None:
        """Put a human's coming or going into the trace of their token."""
        participant = to_participant(event.participant)
        ticket = self._sealer.open(event.room.name, participant)
        if ticket is None or not ticket.traceparent:
            return
        attributes = asked | {
            HTTP_STATUS: 200,
            ROOM_NAME: ticket.room_name,
            PARTICIPANT_IDENTITY: ticket.participant_identity,
            WEBHOOK_ID: event.id,
        }
        parent = context_of(ticket.traceparent)
        name = f"webhook {event.event}"
        self._tracer.start_span(name, parent, SpanKind.SERVER, attributes, start_time=began).end()


def _asked(environ: WSGIEnvironment) -> Attributes:
    return {
        HTTP_METHOD: environ["REQUEST_METHOD"],
        HTTP_ROUTE: environ["PATH_INFO"],
        URL_PATH: environ["PATH_INFO"],
        URL_SCHEME: environ["wsgi.url_scheme"],
    }
