"""Errors as answers, and the one line of the log that each refused request has."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge

from token_server.errors import (
    InvalidRequestError,
    RequestTooLargeError,
    TokenServerError,
    TooManyRequestsError,
    code_of,
    error_body,
)
from token_server.http_api.token_endpoint import ROOM_NAME_KEY

logger = logging.getLogger(__name__)

# Each request to these is one line; of the rest of the internet's guesses at paths there is none.
_PATHS_LOGGED = {"/token", "/webhook"}


def add_error_responses(app: Flask) -> None:
    """Render every error of the application, its own bugs included."""
    app.register_error_handler(TokenServerError, _render)
    app.register_error_handler(HTTPException, _render_http)
    app.register_error_handler(RequestEntityTooLarge, _render_too_large)
    app.register_error_handler(ClientDisconnected, _render_unreadable)
    app.register_error_handler(Exception, _render_bug)


def _render(error: TokenServerError) -> Response:
    level = logging.ERROR if error.code == "internal" else logging.INFO
    if request.path == "/readyz" and error.code == "unavailable":
        # Platforms ask every few seconds, and whoever found out first has said it.
        level = logging.DEBUG
    logger.log(level, "Refused", extra=_about_request(error.code, str(error)))
    headers = {}
    if error.http_status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequestsError):
        headers["Retry-After"] = str(error.retry_after)
    return _answer(error.code, str(error), error.http_status, headers)


def _render_unreadable(error: ClientDisconnected) -> Response:
    del error
    return _render(InvalidRequestError("body must come whole, in time and well formed"))


def _render_too_large(error: RequestEntityTooLarge) -> Response:
    del error
    limit = request.max_content_length
    return _render(RequestTooLargeError(f"body must be at most {limit} bytes"))


def _render_http(error: HTTPException) -> Response:
    """Give werkzeug's own errors (404, 405, …) the same body; keep headers such as Allow."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    code = code_of(status)
    level = logging.INFO if request.path in _PATHS_LOGGED else logging.DEBUG
    logger.log(level, "Refused", extra=_about_request(code, f"{status} {status.phrase}"))
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    return _answer(code, f"{status} {status.phrase}", status, headers)


def _render_bug(error: Exception) -> Response:
    about = _about_request("internal", type(error).__name__)
    logger.error("A request failed", extra=about, exc_info=error)
    return _answer("internal", "an error of this server; its log has the details", 500, {})


def _answer(code: str, msg: str, status: int, headers: Mapping[str, str]) -> Response:
    return Response(error_body(code, msg), status, headers, mimetype="application/json")


def _about_request(code: str, reason: str) -> dict[str, str]:
    """Return the fields of the one line of a request that was refused; the room where known."""
    about = {"path": request.path[:64], "code": code, "reason": reason}
    room_name = request.environ.get(ROOM_NAME_KEY)
    return about | ({"room": room_name} if room_name else {})
