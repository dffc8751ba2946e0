"""What spans say, in OpenTelemetry's words where it has some. No I/O.

Source:
    https://opentelemetry.io/docs/specs/semconv/http/http-spans/
    https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans/
"""

from collections.abc import Sequence

HTTP_METHOD = "http.request.method"
HTTP_ROUTE = "http.route"
HTTP_STATUS = "http.response.status_code"
URL_PATH = "url.path"
URL_SCHEME = "url.scheme"
ERROR_TYPE = "error.type"
RPC_SYSTEM = "rpc.system.name"
RPC_METHOD = "rpc.method"

ROOM_NAME = "livekit.room.name"
PARTICIPANT_IDENTITY = "livekit.participant.identity"
AGENT_NAME = "livekit.agent.name"
DISPATCH_ID = "livekit.dispatch.id"
WEBHOOK_ID = "livekit.webhook.id"
# What a look has decided, in order; why an act was done, in the words of the log.
DECISIONS = "token_server.decisions"
REASON = "token_server.reason"

Attributes = dict[str, str | int | Sequence[str]]
