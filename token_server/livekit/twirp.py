"""One call to LiveKit: a protobuf over a kept-alive connection, in the caller's own greenlet.

No loop thread and no aiohttp: livekit-api's service classes are asyncio only, and handing each
call to a loop costs 3 to 5 times the throughput (livekit-behaviour 71).
"""

import json
import re
import time
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Generic, Self, TypeVar

from google.protobuf.message import DecodeError, Message

from token_server.errors import (
    LiveKitBusyError,
    LiveKitRefusedKeyError,
    LiveKitRefusedRequestError,
    LiveKitUnavailableError,
    TokenServerError,
)
from token_server.livekit.admin_tokens import AdminTokens, Grants, admin_token
from token_server.livekit.connection import HttpAnswer, HttpRequest
from token_server.livekit.connections import Connections, Timeouts
from token_server.livekit.pace import Pace, pay
from token_server.livekit.routes import Route
from token_server.livekit.server_clock import ServerClock
from token_server.proxies import reason_of, through
from token_server.settings import Settings

Result = TypeVar("Result", bound=Message)

# Seconds. LiveKit answers within milliseconds, but for one case (livekit-behaviour 5).
_TIMEOUTS = Timeouts(connect=2.0, answer=5.0)
_PROTOBUF = "application/protobuf"

# Twirp's codes (https://twitchtv.github.io/twirp/docs/errors.html); any other one is LiveKit's
# trouble, and may pass.
_CODE = re.compile("[a-z_]{1,32}")
_SECONDS = re.compile("[0-9]{1,9}")
# A quota is a minute's: whoever is told more, by a proxy say, has tried again by then.
_LONGEST_REST = 60.0
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
_BUSY = "resource_exhausted"


class NotFoundError(LiveKitUnavailableError):
    """LiveKit has no such room, participant or dispatch.

    Whom that tells something catches it. To all others it is as good as no answer: what they asked
    for cannot be known, or was not done.
    """


@dataclass(frozen=True)
class Method(Generic[Result]):
    """One of LiveKit's methods: `Service/Method`, what it answers, and if a repetition is safe.

    A repeatable method that was cut off is called once more (connections.py). CreateDispatch is
    not repeatable: LiveKit never deduplicates it (livekit-behaviour 24).
    """

    name: str
    answer: type[Result]
    is_repeatable: bool = True


class Twirp:
    """LiveKit's HTTP API for one key. Safe to use from several threads.

    Args:
        livekit_url: Where it is.
        api_key: The key.
        api_secret: Its secret.
        timeouts: How long an answer may take.
        proxy: The URL of the proxy that leads there; "" for none.
        pace: Is told of each request that is sent, and of each refusal because of their number.
            Here, and not around the port, since a question to an agent that is refused is no error
            there, and since repetitions are requests as well.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (everything arrives as an argument)
        self,
        livekit_url: str,
        api_key: str,
        api_secret: str,
        timeouts: Timeouts = _TIMEOUTS,
        proxy: str = "",
        pace: Pace | None = None,
    ) -> None:
        url = livekit_url.replace("ws", "http", 1) if livekit_url[:2] == "ws" else livekit_url
        self._pace = pace or Pace()
        count = partial(pay, self._pace)
        self._connections = Connections(Route(url, proxy), timeouts, count=count)
        self._through = through(url, proxy)
        self.clock = ServerClock()
        self._tokens = AdminTokens(partial(admin_token, api_key, api_secret), self.clock.now)

    @classmethod
    def of(
        cls, settings: Settings, timeouts: Timeouts = _TIMEOUTS, pace: Pace | None = None
    ) -> Self:
        """Return the API of the LiveKit that the settings name."""
        key = settings.livekit_api_key, settings.livekit_api_secret
        return cls(settings.livekit_url, *key, timeouts, settings.livekit_proxy, pace)

    def call(self, method: Method[Result], request: Message, grants: Grants) -> Result:
        """Call a method and return what LiveKit answers.

        Raises:
            NotFoundError: LiveKit says not_found.
            LiveKitBusyError: It has had too many requests.
            LiveKitUnavailableError: No answer in time, a 5xx, or an answer that is not LiveKit's.
            LiveKitRefusedKeyError: Our key or secret is wrong.
            LiveKitRefusedRequestError: LiveKit rejects the request itself.
        """
        body = self.answer_of(method, request, grants)
        try:
            return method.answer.FromString(body)
        except DecodeError as error:
            raise LiveKitUnavailableError("LIVEKIT_URL does not answer like LiveKit") from error

    def answer_of(self, method: Method[Result], request: Message, grants: Grants) -> bytes:
        """Call a method and return the answer as it came, a protobuf; raises what `call` does."""
        response = self.ask(method, request, grants)
        if response.status != HTTPStatus.OK:
            raise _to_error(method.name, response, self._through)
        if response.headers.get("content-type") != _PROTOBUF:
            # An empty page would parse as "nobody is there", and that is not what it says.
            raise LiveKitUnavailableError("LIVEKIT_URL does not answer like LiveKit")
        return response.body

    def ask(self, method: Method[Result], request: Message, grants: Grants) -> HttpAnswer:
        """Call a method and return the HTTP answer, whatever it is.

        Raises:
            LiveKitUnavailableError: There is none.
        """
        body = request.SerializeToString()
        token = self._tokens.of(grants)
        response = self._post(method, body, token)
        if response.status == HTTPStatus.UNAUTHORIZED and token != self._tokens.of(grants):
            # The refusal has told what time it is at LiveKit: the token was not of this time.
            response = self._post(method, body, self._tokens.of(grants))
        return response

    def _post(self, method: Method[Result], body: bytes, token: str) -> HttpAnswer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": _PROTOBUF}
        path = f"/twirp/livekit.{method.name}"
        asked_at = time.time()
        try:
            answer = self._connections.ask(
                HttpRequest(path, body, headers, is_repeatable=method.is_repeatable)
            )
        except OSError as error:
            raise LiveKitUnavailableError(
                f"LiveKit did not answer {method.name}{self._through}: {reason_of(error)}"
            ) from error
        self.clock.learn(answer.headers.get("date"), asked_at)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._pace.refused(_retry_after(answer))
        return answer


def _to_error(method: str, answer: HttpAnswer, way: str) -> TokenServerError:
    """Say what LiveKit's error means to us; its own text may quote the request and stays out."""
    code = _code_of(answer)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or code == _BUSY:
        return LiveKitBusyError(
            f"LiveKit has had too many requests, {method} was one more (HTTP 429):"
            " LIVEKIT_REQUESTS_PER_MINUTE is to be less than its quota",
            _retry_after(answer),
        )
    if answer.status == HTTPStatus.UNAUTHORIZED or code in _REFUSED_KEY:
        return LiveKitRefusedKeyError(
            "LiveKit refuses LIVEKIT_API_KEY with LIVEKIT_API_SECRET: the operator must mend it"
        )
    if not code:
        return LiveKitUnavailableError(
            f"LIVEKIT_URL does not answer like LiveKit{way}: HTTP {answer.status}"
        )
    if code == "not_found":
        return NotFoundError(f"LiveKit could not answer {method}: {code}")
    if code in _REFUSED_REQUEST:
        return LiveKitRefusedRequestError(f"LiveKit refused {method}: {code}")
    return LiveKitUnavailableError(f"LiveKit could not answer {method}: {code}")


def _code_of(answer: HttpAnswer) -> str:
    """Return Twirp's code.

    "" if there is none: a refused key is told in plain words (pkg/service/auth.go 1.13.5), too many
    requests by a proxy or Cloud's edge in any.
    """
    try:
        found = _CODE.fullmatch(json.loads(answer.body)["code"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return found[0] if found else ""


def _retry_after(answer: HttpAnswer) -> float:
    """Return for how many seconds LiveKit wants no request; 0 if it does not say so."""
    said = answer.headers.get("retry-after", "")
    return min(float(said), _LONGEST_REST) if _SECONDS.fullmatch(said) else 0.0
