"""/token: let the caller in, read what they want, prepare the join."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus

from werkzeug.wrappers import Request, Response

from token_server.auth.admission import Admission
from token_server.auth.callers import restrict
from token_server.auth.session_limit import SessionLimit
from token_server.errors import InvalidRequestError, UnsupportedMediaTypeError
from token_server.http_api.endpoint import View
from token_server.http_api.error_responses import ROOM_NAME_KEY
from token_server.tokens.joins import Joins
from token_server.tokens.token_request import TokenRequest, parse_json, parse_query

# Bytes.
TOKEN_BODY_LIMIT = 64 * 1024

# In the WSGI environ: what tracing hands to a request for a token, and the JoinAnswer it gets.
TRACEPARENT_KEY = "token_server.traceparent"
JOIN_KEY = "token_server.join"


def token_views(admission: Admission, sessions: SessionLimit, joins: Joins) -> Mapping[str, View]:
    """Return the view of each method."""

    def issue(
        request: Request, read: Callable[[Request], TokenRequest], status: HTTPStatus
    ) -> Response:
        admitted = admission.let_in(request.headers, request.remote_addr or "")
        with admission.reading(admitted):
            token_request = read(request)
        # Whatever goes wrong from here on is logged with the room that it is about.
        request.environ[ROOM_NAME_KEY] = token_request.room_name
        person = admission.count(admitted, token_request.participant_identity)
        traceparent = request.environ.get(TRACEPARENT_KEY, "")
        claim = partial(sessions.claim, person)
        join = joins.prepare(restrict(token_request, admitted.caller), traceparent, claim)
        request.environ[JOIN_KEY] = join
        return Response(json.dumps(vars(join)), status, mimetype="application/json")

    return {
        # LiveKit's endpoint convention.
        "POST": lambda request: issue(request, _posted, HTTPStatus.CREATED),
        # The same from a query, for curl and simple frontends.
        "GET": lambda request: issue(request, _queried, HTTPStatus.OK),
    }


def _posted(request: Request) -> TokenRequest:
    """Read the body; only now, since everything before costs the caller more than us."""
    return parse_json(posted_json(request))


def posted_json(request: Request) -> bytes:
    """Return the body of a POST, which may be empty.

    Raises:
        UnsupportedMediaTypeError: There is one, and it is not declared as JSON.
        RequestEntityTooLarge: It has more than TOKEN_BODY_LIMIT bytes.
    """
    has_body = request.content_length or "Transfer-Encoding" in request.headers
    if has_body and not request.is_json:
        raise UnsupportedMediaTypeError("Content-Type must be application/json")
    request.max_content_length = TOKEN_BODY_LIMIT
    return request.get_data(cache=False)


def _queried(request: Request) -> TokenRequest:
    given = request.args.to_dict(flat=False)
    for name, values in given.items():
        if len(values) > 1:
            raise InvalidRequestError(f"{name[:64]!r} must be given once")
    return parse_query({name: values[0] for name, values in given.items()})
