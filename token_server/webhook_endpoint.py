"""POST /webhook, where all is well with it, answered before Flask sees the request.

LiveKit sends some for every join, and Flask costs more than all that they need.
"""

from typing import TYPE_CHECKING

from token_server.before_flask import hand_over, posted_length
from token_server.webhooks import WEBHOOK_BODY_LIMIT, Webhooks

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# Where the WSGI environ has the WebhookEvent that said who came or went, for tracing.
EVENT_KEY = "token_server.webhook_event"

# Empty: LiveKit's client does not read a body, and cannot keep its connection then.
_HEADERS = [("Content-Length", "0"), ("Cache-Control", "no-store")]


class WebhookEndpoint:
    """WSGI middleware."""

    def __init__(self, behind: "WSGIApplication", webhooks: Webhooks) -> None:
        self._behind, self._webhooks = behind, webhooks

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        """Receive a good webhook; pass on everything else."""
        if environ["PATH_INFO"] == "/webhook" and self._has_received(environ):
            start_response("200 OK", _HEADERS)
            return ()
        return self._behind(environ, start_response)

    def _has_received(self, environ: "WSGIEnvironment") -> bool:
        length = posted_length(environ, WEBHOOK_BODY_LIMIT)
        if length is None:
            return False
        unverified_body = environ["wsgi.input"].read(length)
        try:
            authorization = environ.get("HTTP_AUTHORIZATION", "")
            environ[EVENT_KEY] = self._webhooks.receive(unverified_body, authorization)
        except Exception as error:  # noqa: BLE001 (Flask's view raises it again)
            hand_over(error, environ)
            return False
        return True
