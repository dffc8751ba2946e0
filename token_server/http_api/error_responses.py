"""Errors as answers, and the one line of the log that each refused request has."""

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus

from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from token_server.errors import (
    InvalidRequestError,
    LiveKitBusyError,
    RequestTooLargeError,
    TokenServerError,
    TooManyRequestsError,
    code_of,
    error_body,
)

logger = logging.getLogger(__name__)

# Seconds to wait where LiveKit is too busy and does not say for how long: its quota is a minute's,
# and we have waited for two.
_A_WHILE = 5

# In the WSGI environ: which room a request is about, once that is known.
ROOM_NAME_KEY = "token_server.room_name"
# Each request to these is one line; of the rest of the internet's guesses at paths there is none.
_PATHS_LOGGED = {"/token", "/webhook"}


def render(error: Exception, request: Request) -> Response:
    """Make an answer of any error of the application, its own bugs included; write its line."""
    match error:
        case TokenServerError():
            return _render(error, request)
        case ClientDisconnected():
            ours = InvalidRequestError("body must come whole, in time and well formed")
            return _render(ours, request)
        case RequestEntityTooLarge():
            limit = request.max_content_length
            return _render(RequestTooLargeError(f"body must be at most {limit} bytes"), request)
        case HTTPException():
            return _render_http(error, request)
        case _:
            about = _about_request(request, "internal", type(error).__name__)
            logger.error("A request failed", extra=about, exc_info=error)
            return _answer("internal", "an error of this server; its log has the details", 500, {})


def _render(error: TokenServerError, request: Request) -> Response:
    code = code_of(error.http_status)
    level = logging.ERROR if code == "internal" else logging.INFO
    if request.path == "/readyz" and code == "unavailable":
        # Platforms ask every few seconds, and whoever found out first has said it.
        level = logging.DEBUG
    logger.log(level, "Refused", extra=_about_request(request, code, str(error)))
    headers = {}
    if error.http_status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequestsError):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, LiveKitBusyError):
        headers["Retry-After"] = str(math.ceil(error.retry_after) or _A_WHILE)
    return _answer(code, str(error), error.http_status, headers)


def _render_http(error: HTTPException, request: Request) -> Response:
    """Give werkzeug's own errors (404, 405, …) the same body; keep headers such as Allow."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    code = code_of(status)
    level = logging.INFO if request.path in _PATHS_LOGGED else logging.DEBUG
    logger.log(level, "Refused", extra=_about_request(request, code, f"{status} {status.phrase}"))
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    return _answer(code, f"{status} {status.phrase}", status, headers)


def _answer(code: str, msg: str, status: int, headers: Mapping[str, str]) -> Response:
    return Response(error_body(code, msg), status, headers, mimetype="application/json")


def _about_request(request: Request, code: str, reason: str) -> dict[str, str]:
    """Return the fields of the one line of a request that was refused; the room where known."""
    about = {"path": request.path[:64], "code": code, "reason": reason}
    room_name = request.environ.get(ROOM_NAME_KEY)
    return about | ({"room": room_name} if room_name else {})
