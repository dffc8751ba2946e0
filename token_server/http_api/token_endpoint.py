"""/token: let the caller in, read what they want, prepare the join."""

import json
from collections.abc import Callable
from http import HTTPStatus

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from token_server.auth.admission import Admission
from token_server.auth.callers import restrict
from token_server.errors import InvalidRequestError, UnsupportedMediaTypeError
from token_server.http_api.openapi import Api
from token_server.tokens.joins import Joins
from token_server.tokens.token_request import TokenRequest, parse_json, parse_query

# Bytes.
TOKEN_BODY_LIMIT = 64 * 1024

# In the WSGI environ: what tracing hands to a request for a token, and gets from it, a Join; and
# which room it is about.
TRACEPARENT_KEY = "token_server.traceparent"
JOIN_KEY = "token_server.join"
ROOM_NAME_KEY = "token_server.room_name"


def add_token(app: Flask, api: Api, door: Admission, joins: Joins) -> None:
    """Add the routes."""

    def issue(read: Callable[[], TokenRequest]) -> Response:
        headers = request.headers
        caller = door.let_in(
            headers.get("Authorization", ""),
            request.remote_addr or "",
            headers.get("X-Forwarded-For", ""),
        )
        token_request = read()
        # Whatever goes wrong from here on is logged with the room that it is about.
        request.environ[ROOM_NAME_KEY] = token_request.room_name
        traceparent = request.environ.get(TRACEPARENT_KEY, "")
        join = joins.prepare(restrict(token_request, caller), traceparent)
        request.environ[JOIN_KEY] = join
        return Response(json.dumps(vars(join)), mimetype="application/json")

    @app.post("/token")
    @api.posts_token
    def post_token() -> ResponseReturnValue:
        """Make a room ready and get a token for it, by LiveKit's endpoint convention."""
        return issue(_posted), HTTPStatus.CREATED

    @app.get("/token")
    @api.gets_token
    def get_token() -> ResponseReturnValue:
        """Do the same from a query, for curl and simple frontends."""
        return issue(_queried), HTTPStatus.OK


def _posted() -> TokenRequest:
    """Read the body; only now, since everything before costs the caller more than us."""
    has_body = request.content_length or "Transfer-Encoding" in request.headers
    if has_body and not request.is_json:
        raise UnsupportedMediaTypeError("Content-Type must be application/json")
    request.max_content_length = TOKEN_BODY_LIMIT
    return parse_json(request.get_data(cache=False))


def _queried() -> TokenRequest:
    given = request.args.to_dict(flat=False)
    for name, values in given.items():
        if len(values) > 1:
            raise InvalidRequestError(f"{name[:64]!r} must be given once")
    return parse_query({name: values[0] for name, values in given.items()})
