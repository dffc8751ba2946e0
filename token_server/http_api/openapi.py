"""The API in OpenAPI 3.1, made of the models that validate. No I/O."""

from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, Field, RootModel, TypeAdapter

from shared_settings.settings import TokenAuth
from token_server import __version__
from token_server.http_api.room_releases import ReleaseAnswer
from token_server.keeper.releases import ReleaseRequest
from token_server.tokens.joins import JoinAnswer
from token_server.tokens.token_request import DISPATCH_OPTIONS, PlainTokenRequest, TokenRequest

# Objects of the document, under its own names.
Described = dict[str, Any]

_SCHEMA = "#/components/schemas/{model}"
_BEARER = {"type": "http", "scheme": "bearer"}
_OPERATOR = {"operator": _BEARER | {"description": "One of the keys in OPERATOR_KEY."}}
_CALLERS: dict[TokenAuth, Described] = {
    TokenAuth.NONE: {},
    TokenAuth.KEY: {"caller": _BEARER | {"description": "One of the keys in TOKEN_KEYS."}},
    TokenAuth.JWT: {
        "caller": _BEARER | {"description": "The login token of the frontend's own user."}
    },
}


class Health(BaseModel):
    """A process that can be relied on."""

    status: Literal["alive", "ready"]
    redis: Literal["ready", "unavailable"] | None = Field(
        None, description="Only of /readyz, where REDIS_URL is set; without it everything goes on."
    )
    msg: str | None = Field(
        None, description="Of a Redis that is unavailable: the setting that mends it, if one does."
    )


class Document(RootModel[dict[str, Any]]):
    """An OpenAPI document."""


class Refusal(BaseModel):
    """An error, in Twirp's vocabulary."""

    code: Literal[
        "bad_route",
        "internal",
        "invalid_argument",
        "not_found",
        "permission_denied",
        "resource_exhausted",
        "unauthenticated",
        "unavailable",
    ]
    msg: str = Field(description="Names the field and the rule; never a value.")


_POST = "Make a room ready and get a token for it, by LiveKit's endpoint convention."
_GET = "Do the same from a query, for curl and simple frontends."
_RELEASE = "Take a call over: humans are released, and the agents that nobody else wants leave."
_HEALTHZ = "Tell that the process is alive, and what looks after its rooms too."
_READYZ = "Tell whether LiveKit answers and accepts our key; and Redis, where it is set."
_ITSELF = "Describe the API."
_FAULTS = {
    500: "The operator's to mend: LiveKit refuses our key, or a bug.",
    503: "LiveKit, or what else is needed, is slow or gone: try again.",
}
_TOKEN_ERRORS = {
    400: "A field breaks a rule; `msg` names both.",
    401: "No key or login token, or none that is good.",
    403: "The caller may not have this identity, name, metadata, room or agent, or go without one.",
    429: "Too often, or too many live rooms; `Retry-After` has the seconds to wait.",
    **_FAULTS,
}
_OPERATOR_ERRORS = {
    400: "A field breaks a rule; `msg` names both.",
    401: "No key of OPERATOR_KEY.",
    403: "OPERATOR_KEY is not set.",
    404: "There is no such live room.",
    500: "The operator's to mend: LiveKit refuses our key, or a bug.",
    503: "LiveKit is slow or gone. What was done stays done: ask again for the rest.",
}
_QUERY_ERRORS = {414: "A request line of more than 8190 bytes."}
_BODY_ERRORS = {
    413: "A body of more than 64 KiB.",
    415: "A body that is not declared as application/json.",
}


@cache
def describe(token_auth: TokenAuth, *, has_options: bool) -> Described:
    """Return the document of a server where tokens are for these callers.

    Args:
        token_auth: Who may fetch one.
        has_options: Whether they may choose a dispatch's options.
    """
    releases = (ReleaseRequest, ReleaseAnswer)
    models = (TokenRequest, PlainTokenRequest, JoinAnswer, *releases, Health, Document, Refusal)
    _, found = TypeAdapter.json_schemas(
        [(one, "validation", TypeAdapter[Any](one)) for one in models], ref_template=_SCHEMA
    )
    schemas, callers = found["$defs"], _CALLERS[token_auth]
    for option in () if has_options else DISPATCH_OPTIONS:
        del schemas["RequestedAgent"]["properties"][option]
    description = "Tokens for LiveKit rooms in which exactly one agent attends each human."
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "LiveKit token server",
            "version": __version__,
            "description": description,
        },
        "paths": {
            "/token": _token([{name: []} for name in callers], schemas["PlainTokenRequest"]),
            "/rooms/{room_name}/release": _release(),
            "/healthz": {"get": _operation("get__healthz", _HEALTHZ, Health, _FAULTS)},
            "/readyz": {"get": _operation("get__readyz", _READYZ, Health, _FAULTS)},
            "/openapi.json": {"get": _operation("get__openapi.json", _ITSELF, Document, {})},
        },
        "components": {"schemas": schemas, "securitySchemes": callers | _OPERATOR},
    }


def _token(security: Sequence[Described], query: Described) -> Described:
    post = _operation("post__token", _POST, JoinAnswer, _TOKEN_ERRORS | _BODY_ERRORS, good=201)
    # Not required: an empty body asks for everything by default.
    post |= {"security": security, "requestBody": {"content": _json(TokenRequest)}}
    get = _operation("get__token", _GET, JoinAnswer, _TOKEN_ERRORS | _QUERY_ERRORS)
    parameters = [
        {"in": "query", "name": name, "schema": schema}
        | {"description": schema.get("description", "")}
        for name, schema in query["properties"].items()
    ]
    return {"post": post, "get": get | {"security": security, "parameters": parameters}}


def _release() -> Described:
    errors = _OPERATOR_ERRORS | _BODY_ERRORS
    post = _operation("post__rooms_release", _RELEASE, ReleaseAnswer, errors)
    room_name = {"in": "path", "name": "room_name", "required": True}
    text = {"schema": {"type": "string", "minLength": 1}}
    post |= {"security": [{name: []} for name in _OPERATOR], "parameters": [room_name | text]}
    return {"post": post | {"requestBody": {"content": _json(ReleaseRequest)}}}


def _operation(
    name: str, summary: str, answer: type, errors: Mapping[int, str], good: int = 200
) -> Described:
    responses = {str(good): {"description": HTTPStatus(good).phrase, "content": _json(answer)}}
    for status, text in errors.items():
        responses[str(status)] = {"description": text, "content": _json(Refusal)}
    return {"operationId": name, "summary": summary, "responses": responses}


def _json(model: type) -> Described:
    return {"application/json": {"schema": {"$ref": _SCHEMA.format(model=model.__name__)}}}
