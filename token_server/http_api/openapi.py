"""The API in OpenAPI 3.1, made of the models that validate and the views' docstrings. No I/O.

spectree describes here, and does nothing to requests: token_request.py reads them, so that an error
names the field and its rule in the words that callers know.
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, Literal, TypeVar, cast

from flask import Flask
from pydantic import BaseModel, Field, RootModel
from spectree import Response, SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from token_server import __version__
from token_server.settings import TokenAuth
from token_server.tokens.token_request import PlainTokenRequest, TokenRequest

View = TypeVar("View", bound=Callable[..., Any])

_CALLER = "caller"
_BEARER = {
    TokenAuth.KEY: "One of the keys in TOKEN_KEYS.",
    TokenAuth.JWT: "The login token of the frontend's own user.",
}


class JoinAnswer(BaseModel):
    """All that a client needs to connect."""

    server_url: str = Field(description="Where livekit-client connects.")
    participant_token: str = Field(description="A JWT, for this participant in this room alone.")
    room_name: str
    participant_identity: str


class Health(BaseModel):
    """A process that can be relied on."""

    status: Literal["alive", "ready"]
    redis: Literal["ready", "unavailable"] | None = Field(
        None, description="Only of /readyz, where REDIS_URL is set; without it everything goes on."
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


_FAULTS = {
    "HTTP_500": (Refusal, "The operator's to mend: LiveKit refuses our key, or a bug."),
    "HTTP_503": (Refusal, "LiveKit, or what else is needed, is slow or gone: try again."),
}
_TOKEN_ERRORS = {
    "HTTP_400": (Refusal, "A field breaks a rule; `msg` names both."),
    "HTTP_401": (Refusal, "No key or login token, or none that is good."),
    "HTTP_403": (Refusal, "The caller may not have this identity, name, metadata, room or agent."),
    "HTTP_429": (Refusal, "Too often; `Retry-After` has the seconds to wait."),
    **_FAULTS,
}
_QUERY_ERRORS = {"HTTP_414": (Refusal, "A request line of more than 8190 bytes.")}
_BODY_ERRORS = {
    "HTTP_413": (Refusal, "A body of more than 64 KiB."),
    "HTTP_415": (Refusal, "A body that is not declared as application/json."),
}


class Api:
    """Describes the views of one application, and writes the document.

    Args:
        token_auth: Who may ask for tokens.
    """

    def __init__(self, token_auth: TokenAuth) -> None:
        is_open = token_auth is TokenAuth.NONE
        self._security: list[dict[str, list[str]]] = [] if is_open else [{_CALLER: []}]
        self._spec = SpecTree(
            "flask",
            mode="strict",
            annotations=False,
            title="LiveKit token server",
            version=__version__,
            description="Tokens for LiveKit rooms in which exactly one agent attends each human.",
            security_schemes=_security_schemes(token_auth),
            # spectree adds the error that its own validation would answer.
            validation_error_status=400,
            validation_error_model=Refusal,
            naming_strategy=lambda model: model.__name__,
            nested_naming_strategy=lambda _, model: model,
        )

    def posts_token(self, view: View) -> View:
        """Describe POST /token."""
        answers = {"HTTP_201": JoinAnswer, **_TOKEN_ERRORS, **_BODY_ERRORS}
        return self._describe(view, answers, json=TokenRequest, security=self._security)

    def gets_token(self, view: View) -> View:
        """Describe GET /token."""
        answers = {"HTTP_200": JoinAnswer, **_TOKEN_ERRORS, **_QUERY_ERRORS}
        return self._describe(view, answers, query=PlainTokenRequest, security=self._security)

    def tells_health(self, view: View) -> View:
        """Describe a view that platforms ask."""
        return self._describe(view, {"HTTP_200": Health, **_FAULTS})

    def tells_itself(self, view: View) -> View:
        """Describe the view of the document."""
        return self._describe(view, {"HTTP_200": Document})

    @cache  # noqa: B019 (one for each application)
    def document(self, app: Flask) -> dict[str, Any]:
        """Return the whole as OpenAPI 3.1."""
        with app.app_context():
            document = cast("dict[str, Any]", self._spec.spec)
        for path in document["paths"].values():
            for operation in path.values():
                _mend(operation)
        return document

    def _describe(self, view: View, answers: dict[str, Any], **more: Any) -> View:  # noqa: ANN401  # spectree's own
        described = self._spec.validate(resp=Response(**answers), **more)(view)

        @wraps(described)
        def straight(**path: Any) -> Any:  # noqa: ANN401  # the view's own
            return view(**path)

        # spectree finds what it has described by `__wrapped__`; requests go straight to the view.
        return cast("View", straight)


def _security_schemes(token_auth: TokenAuth) -> list[SecurityScheme]:
    if token_auth is TokenAuth.NONE:
        return []
    bearer = SecuritySchemeData(
        type=SecureType.HTTP, scheme="bearer", description=_BEARER[token_auth]
    )
    return [SecurityScheme(name=_CALLER, data=bearer)]


def _mend(operation: dict[str, Any]) -> None:
    """Say what spectree has no words for."""
    if "requestBody" in operation:
        # An empty body asks for everything by default.
        operation["requestBody"].pop("required", None)
    elif not operation["parameters"]:
        # Nothing can be wrong with a request that has no fields.
        operation["responses"].pop("400", None)
