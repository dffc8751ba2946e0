"""POST /token, where all is well with it, answered before Flask sees the request.

Flask costs as much as all else that a token needs: the call, the ticket, the signature.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from token_server.before_flask import hand_over, posted_length
from token_server.callers import restrict
from token_server.door import Door
from token_server.joins import Join, Joins
from token_server.token_request import TokenRequest, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# Bytes.
TOKEN_BODY_LIMIT = 64 * 1024

# In the WSGI environ: what tracing hands to a request for a token, and gets from it, a Join; and
# which room it is about.
TRACEPARENT_KEY = "token_server.traceparent"
JOIN_KEY = "token_server.join"
ROOM_NAME_KEY = "token_server.room_name"


class Issuer:
    """Issues tokens to those who ask over HTTP, in whatever way."""

    def __init__(self, door: Door, joins: Joins) -> None:
        self._door, self._joins = door, joins

    def issue(self, environ: "WSGIEnvironment", read: Callable[[], TokenRequest]) -> Join:
        """Let the caller in, read what they want, and do it.

        Raises:
            TokenServerError: The door, the reader, or LiveKit says no.
        """
        caller = self._door.let_in(
            environ.get("HTTP_AUTHORIZATION", ""),
            environ.get("REMOTE_ADDR", ""),
            environ.get("HTTP_X_FORWARDED_FOR", ""),
        )
        token_request = read()
        # Whatever goes wrong from here on is logged with the room that it is about.
        environ[ROOM_NAME_KEY] = token_request.room_name
        join = self._joins.prepare(
            restrict(token_request, caller), environ.get(TRACEPARENT_KEY, "")
        )
        environ[JOIN_KEY] = join
        return join


class TokenEndpoint:
    """WSGI middleware.

    Args:
        behind: Flask.
        issuer: Issues the token.
        has_pages: Whether pages of other origins may ask; Flask-CORS sees to these.
    """

    def __init__(self, behind: "WSGIApplication", issuer: Issuer, *, has_pages: bool) -> None:
        self._behind, self._issuer, self._has_pages = behind, issuer, has_pages

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        """Answer a plain request; pass on everything else, and every error."""
        length = self._plain_length(environ) if environ["PATH_INFO"] == "/token" else None
        if length is None:
            return self._behind(environ, start_response)
        unverified_body = environ["wsgi.input"].read(length)
        try:
            join = self._issuer.issue(environ, partial(parse_json, unverified_body))
        except Exception as error:  # noqa: BLE001 (Flask's view raises it again)
            hand_over(error, environ)
            return self._behind(environ, start_response)
        return _answer(join, start_response)

    def _plain_length(self, environ: "WSGIEnvironment") -> int | None:
        """Return the length of a body that is to be read here."""
        if environ.get("CONTENT_TYPE") != "application/json":
            return None
        if self._has_pages and "HTTP_ORIGIN" in environ:
            return None
        return posted_length(environ, TOKEN_BODY_LIMIT)


def to_json(join: Join) -> str:
    """Write the body of an answer."""
    return json.dumps(vars(join))


def _answer(join: Join, start_response: "StartResponse") -> "Iterable[bytes]":
    body = to_json(join).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    start_response("201 CREATED", headers)
    return (body,)
