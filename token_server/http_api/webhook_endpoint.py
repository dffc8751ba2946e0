"""POST /webhook: what LiveKit tells of its rooms."""

from collections.abc import Mapping
from functools import partial

from werkzeug.wrappers import Request, Response

from token_server.http_api.endpoint import View
from token_server.livekit.webhooks import WEBHOOK_BODY_LIMIT, Webhooks

# Where the WSGI environ has the WebhookEvent that said who came or went, for tracing.
EVENT_KEY = "token_server.webhook_event"


def webhook_views(webhooks: Webhooks) -> Mapping[str, View]:
    """Return the view of each method."""

    def receive(request: Request) -> Response:
        request.max_content_length = WEBHOOK_BODY_LIMIT
        authorization = request.headers.get("Authorization", "")
        read = partial(request.get_data, cache=False)
        request.environ[EVENT_KEY] = webhooks.receive(read, authorization)
        # Empty: LiveKit's client does not read a body, and cannot keep its connection then.
        return Response()

    return {"POST": receive}
