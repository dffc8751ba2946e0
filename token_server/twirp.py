"""One call to LiveKit: a protobuf over a kept-alive connection, in the caller's own thread.

No loop thread and no aiohttp: livekit-api's service classes are asyncio only, and handing each
call to a loop costs 3 to 5 times the throughput (facts, "Tokens and clients").
"""

import json
import time
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Generic, TypeVar

from google.protobuf.message import DecodeError, Message

from token_server.admin_tokens import AdminTokens, Grants, admin_token
from token_server.connections import Connections, CutOffError, HttpAnswer, Timeouts
from token_server.errors import (
    LiveKitRefusedKeyError,
    LiveKitRefusedRequestError,
    LiveKitUnavailableError,
    TokenServerError,
)
from token_server.server_clock import ServerClock

Answer = TypeVar("Answer", bound=Message)

# Seconds. LiveKit answers within milliseconds, except ListDispatch on a missing room: 3.0 s.
_TIMEOUTS = Timeouts(connect=2.0, answer=5.0)
_PROTOBUF = "application/protobuf"

# Twirp's codes (https://twitchtv.github.io/twirp/docs/errors.html); any other one is LiveKit's
# trouble, and may pass.
_REFUSED_KEY = {"unauthenticated", "permission_denied"}
_REFUSED_REQUEST = {
    "already_exists",
    "bad_route",
    "failed_precondition",
    "invalid_argument",
    "malformed",
    "out_of_range",
    "unimplemented",
}


class NotFoundError(Exception):
    """LiveKit has no such room, participant or dispatch. Does not leave the adapter."""


@dataclass(frozen=True)
class Method(Generic[Answer]):
    """One of LiveKit's methods: `Service/Method`, what it answers, and if a repetition is safe.

    A repeatable method that was cut off is called once more. CreateDispatch is not repeatable:
    LiveKit never deduplicates it (facts, 5).
    """

    name: str
    answer: type[Answer]
    is_repeatable: bool = True


class Twirp:
    """LiveKit's HTTP API for one key. Safe to use from several threads."""

    def __init__(
        self,
        livekit_url: str,
        api_key: str,
        api_secret: str,
        timeouts: Timeouts = _TIMEOUTS,
    ) -> None:
        url = livekit_url.replace("ws", "http", 1) if livekit_url[:2] == "ws" else livekit_url
        self._connections = Connections(url, timeouts)
        self._tokens = AdminTokens(partial(admin_token, api_key, api_secret))
        self.clock = ServerClock()

    def call(self, method: Method[Answer], request: Message, grants: Grants) -> Answer:
        """Call a method and return what LiveKit answers.

        Raises:
            NotFoundError: LiveKit says not_found.
            LiveKitUnavailableError: No answer in time, a 5xx, or an answer that is not LiveKit's.
            LiveKitRefusedKeyError: Our key or secret is wrong.
            LiveKitRefusedRequestError: LiveKit rejects the request itself.
        """
        asked_at = time.time()
        response = self._post(method, request.SerializeToString(), self._tokens.of(grants))
        self.clock.learn(response.headers.get("date"), asked_at)
        if response.status != HTTPStatus.OK:
            raise _to_error(method.name, response.status, response.body)
        if response.headers.get("content-type") != _PROTOBUF:
            # An empty page would parse as "nobody is there", and that is not what it says.
            raise LiveKitUnavailableError("LIVEKIT_URL does not answer like LiveKit")
        try:
            return method.answer.FromString(response.body)
        except DecodeError as error:
            raise LiveKitUnavailableError("LIVEKIT_URL does not answer like LiveKit") from error

    def _post(self, method: Method[Answer], body: bytes, token: str) -> HttpAnswer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": _PROTOBUF}
        tries = 2 if method.is_repeatable else 1
        while True:
            tries -= 1
            try:
                return self._connections.post(f"/twirp/livekit.{method.name}", body, headers)
            except CutOffError as error:
                # LiveKit closed a kept-alive connection, or was restarted, under our feet.
                if not tries:
                    raise _unanswered(method.name, error) from error
            except OSError as error:
                raise _unanswered(method.name, error) from error


def _unanswered(method: str, error: Exception) -> LiveKitUnavailableError:
    return LiveKitUnavailableError(f"LiveKit did not answer {method}: {type(error).__name__}")


def _to_error(method: str, status: int, body: bytes) -> TokenServerError | NotFoundError:
    """Say what LiveKit's error means to us; its own text may quote the request and stays out."""
    refused_key = LiveKitRefusedKeyError(
        "LiveKit refuses LIVEKIT_API_KEY with LIVEKIT_API_SECRET: the operator must mend it"
    )
    if status == HTTPStatus.UNAUTHORIZED:
        # In plain words, not in Twirp's JSON (pkg/service/auth.go 1.13.5).
        return refused_key
    try:
        code = str(json.loads(body)["code"])
    except (ValueError, KeyError, TypeError):
        return LiveKitUnavailableError(f"LIVEKIT_URL does not answer like LiveKit: HTTP {status}")
    if code == "not_found":
        return NotFoundError(method)
    if code in _REFUSED_KEY:
        return refused_key
    if code in _REFUSED_REQUEST:
        return LiveKitRefusedRequestError(f"LiveKit refused {method}: {code}")
    return LiveKitUnavailableError(f"LiveKit could not answer {method}: {code}")
