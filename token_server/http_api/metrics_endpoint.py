"""GET /metrics, for Prometheus and for the operator alone."""

from http import HTTPStatus

from flask import Blueprint, Response, request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from token_server.auth.operators import Operators
from token_server.telemetry.metrics import Metrics

_WEBHOOK_TYPE = "application/webhook+json"


def create_blueprint(operators: Operators, metrics: Metrics) -> Blueprint:
    """Build the route; also count the tokens and webhooks that the others refuse."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def show() -> Response:
        operators.check(dict(request.headers), request.remote_addr)
        return Response(metrics.exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)

    @blueprint.after_app_request
    def count_refused(response: Response) -> Response:
        if response.status_code < HTTPStatus.BAD_REQUEST:
            return response
        # LiveKit's own content type on another path is a webhook that was configured wrongly.
        if request.path == "/webhook" or request.mimetype == _WEBHOOK_TYPE:
            metrics.webhooks_refused.labels(response.status_code).inc()
        elif request.path == "/token":
            metrics.tokens_refused.labels(response.status_code).inc()
        return response

    return blueprint
