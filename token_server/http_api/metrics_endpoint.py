"""GET /metrics, for Prometheus and for the operator alone."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Blueprint, Response, request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from token_server.auth.operators import Operators
from token_server.telemetry.metrics import Metrics

_WEBHOOK_TYPE = "application/webhook+json"


def create_blueprint(operators: Operators, metrics: Metrics) -> Blueprint:
    """Build the route."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def show() -> Response:
        operators.check(dict(request.headers), request.remote_addr)
        return Response(metrics.exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)

    return blueprint


class CountRefused:
    """WSGI middleware: counts the tokens and webhooks that are refused behind it."""

    def __init__(self, behind: WSGIApplication, metrics: Metrics) -> None:
        self._behind, self._metrics = behind, metrics

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Hand a request on, and look at the answer's status."""

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:  # noqa: ANN401  # WSGI's
            if status >= "4":
                self._count(environ, HTTPStatus(int(status[:3])))
            return start_response(status, headers, *more)

        return self._behind(environ, start)

    def _count(self, environ: WSGIEnvironment, status: HTTPStatus) -> None:
        path, content_type = environ["PATH_INFO"], environ.get("CONTENT_TYPE", "")
        # LiveKit's own content type on another path is a webhook that was configured wrongly.
        if path == "/webhook" or content_type.partition(";")[0].strip().lower() == _WEBHOOK_TYPE:
            self._metrics.webhooks_refused.labels(status.value).inc()
        elif path == "/token":
            self._metrics.tokens_refused.labels(status.value).inc()
