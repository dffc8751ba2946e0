"""What a caller may ask of /token, in the words of LiveKit's endpoint convention. No I/O.

Source of the names: https://docs.livekit.io/frontends/build/authentication/endpoint/. Limits are
LiveKit's (pkg/config/config.go 1.13.5, `limit`) or tighter: the token travels in a URL.
"""

import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from token_server.errors import InvalidRequestError

# Bytes of UTF-8.
_NAME_LIMIT = 256
_METADATA_LIMIT = 8192
_ATTRIBUTES_LIMIT = 8192
_FIELD_PATH_LIMIT = 64
# Parts of letters and emoji: Persian and family names are written with them.
_JOINERS = "\u200c\u200d"

# The agent's own identity starts so; LiveKit would put it out for a human of the same identity.
AGENT_IDENTITY_PREFIX = "agent-"
# LiveKit's own attributes, and ours (the ticket).
_RESERVED_ATTRIBUTES = ("lk.", "token_server.")


def _check_name(value: str, joiners: str = "") -> str:
    is_plain = value.isascii() and value.isprintable()
    if not is_plain and any(
        unicodedata.category(character).startswith("C") and character not in joiners
        for character in value
    ):
        raise ValueError("must not contain control or unassigned characters")
    if value != value.strip():
        raise ValueError("must not start or end with a space")
    return _at_most(_NAME_LIMIT, value)


def check_identity(value: str) -> str:
    """Return a participant identity; ValueError names the rule that it breaks."""
    if value.startswith(AGENT_IDENTITY_PREFIX):
        raise ValueError(f"must not start with {AGENT_IDENTITY_PREFIX}, which is for agents")
    return _check_name(value)


def check_shown_name(value: str) -> str:
    """Return a participant name; ValueError names the rule that it breaks."""
    return _check_name(value, _JOINERS)


def _check_metadata(value: str) -> str:
    return _at_most(_METADATA_LIMIT, value)


def _check_attributes(value: dict[str, str]) -> dict[str, str]:
    if any(key.startswith(_RESERVED_ATTRIBUTES) for key in value):
        raise ValueError(f"keys must not start with {' or '.join(_RESERVED_ATTRIBUTES)}")
    if sum(len(key.encode()) + len(text.encode()) for key, text in value.items()) > (
        _ATTRIBUTES_LIMIT
    ):
        raise ValueError(f"must be at most {_ATTRIBUTES_LIMIT} bytes in all")
    return value


def _at_most(limit: int, value: str) -> str:
    if len(value.encode()) > limit:
        raise ValueError(f"must be at most {limit} bytes of UTF-8")
    return value


# JSON Schema counts characters, and we count bytes: what it lets pass may still be too long.
_DescribedName = Annotated[str, Field(json_schema_extra={"maxLength": _NAME_LIMIT})]
Name = Annotated[_DescribedName, AfterValidator(_check_name)]
ShownName = Annotated[_DescribedName, AfterValidator(check_shown_name)]
Identity = Annotated[_DescribedName, AfterValidator(check_identity)]
Metadata = Annotated[
    str, Field(json_schema_extra={"maxLength": _METADATA_LIMIT}), AfterValidator(_check_metadata)
]
Attributes = Annotated[dict[str, str], AfterValidator(_check_attributes)]


class _Strict(BaseModel):
    """Unknown fields and other types are refused; empty values count as not given (proto3)."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True
    )

    spellings: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, value: Any) -> Any:  # noqa: ANN401 (whatever the caller sent)
        """Drop what protobuf's JSON may spell out although nobody has set it.

        Of a field that we know, that is null only: another type is a caller's bug.
        """
        if not isinstance(value, dict):
            return value
        known = {*cls.model_fields, *cls.spellings}
        return {
            name: item
            for name, item in value.items()
            if item is not None and (name in known or item not in ("", 0, [], {}))
        }


class RequestedAgent(_Strict):
    """The agent that is to come; without a name it is the configured one."""

    spellings = frozenset({"agentName"})

    agent_name: Name = Field(default="", validation_alias=AliasChoices("agent_name", "agentName"))
    metadata: Metadata = ""


class RequestedRoomConfig(_Strict):
    """The only part of a room configuration that is a caller's to choose: at most one agent."""

    agents: list[RequestedAgent] = Field(default=[], max_length=1)


# Frozen: pydantic need not copy it for every request.
_NOTHING_REQUESTED = RequestedRoomConfig()


class PlainTokenRequest(_Strict):
    """Who wants to join which room, as far as a query can say it; every field is optional."""

    room_name: Name = Field(
        default="", description="Without it: a fresh name that cannot be guessed."
    )
    participant_identity: Identity = Field(default="", description="Without it: a fresh UUID.")
    participant_name: ShownName = Field(default="", description="What others in the room see.")
    participant_metadata: Metadata = ""


class TokenRequest(PlainTokenRequest):
    """Who wants to join which room; every field is optional."""

    participant_attributes: Attributes = {}
    room_config: RequestedRoomConfig = Field(default_factory=lambda: _NOTHING_REQUESTED)

    @property
    def agent(self) -> RequestedAgent:
        """The agent asked for; an empty one when the caller leaves it to us."""
        return next(iter(self.room_config.agents), RequestedAgent())


def parse_json(unverified_body: bytes) -> TokenRequest:
    """Read a POST's body; an empty one asks for everything by default.

    Raises:
        InvalidRequestError: Names the field and the rule.
    """
    try:
        return TokenRequest.model_validate_json(unverified_body or b"{}")
    except ValidationError as error:
        raise InvalidRequestError(_sentence(error.errors()[0])) from None


def parse_query(unverified_query: Mapping[str, str]) -> TokenRequest:
    """Read a GET's query, which has the same fields as far as they are plain text.

    Raises:
        InvalidRequestError: Names the field and the rule.
    """
    given = {name: value for name, value in unverified_query.items() if value}
    for name in ("participant_attributes", "room_config"):
        if name in given:
            raise InvalidRequestError(f"{name} must be sent in the JSON of a POST")
    try:
        return TokenRequest.model_validate(given)
    except ValidationError as error:
        raise InvalidRequestError(_sentence(error.errors()[0])) from None


def _sentence(problem: ErrorDetails) -> str:
    """Say one of pydantic's findings without the value: the field, then the rule."""
    path = ".".join(str(part) for part in problem["loc"])[:_FIELD_PATH_LIMIT] or "body"
    if problem["type"] == "extra_forbidden":
        return f"{path!r} is not a field that a caller may set"
    rule = problem["msg"].removeprefix("Value error, ")
    return f"{path} {rule[0].lower()}{rule[1:]}"
