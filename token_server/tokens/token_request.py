"""What a caller may ask of /token, in the words of LiveKit's endpoint convention. No I/O.

Source of the names: https://docs.livekit.io/frontends/build/authentication/endpoint/.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails

from token_server.errors import InvalidRequestError
from token_server.tokens.field_rules import (
    TOKEN_LIMIT,
    Attributes,
    Deployment,
    Identity,
    JobAttributes,
    JobMetadata,
    Metadata,
    Name,
    QueryFlag,
    QueryMetadata,
    ShownName,
)

_FIELD_PATH_LIMIT = 64
# The document has no other words for it.
_TOGETHER = f"With all else that it says, the token has at most {TOKEN_LIMIT} bytes."
# Of an agent's fields, those that callers may set only where the operator lets them.
DISPATCH_OPTIONS = ("deployment", "attributes")
# What a field that nobody has set may look like in protobuf's JSON; null is another.
_UNSET: tuple[object, ...] = ("", 0, [], {})
Body = TypeVar("Body", bound=BaseModel)
# Unknown fields and other types are refused.
_STRICT = ConfigDict(
    frozen=True, strict=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True
)


class _Json(BaseModel):
    """An object in a POST's body; empty values count as not given (proto3)."""

    model_config = _STRICT

    # Another spelling of a field, and the field.
    spellings: ClassVar[Mapping[str, str]] = {}

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
            if item is not None and (name in known or item not in _UNSET)
        }

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe what is dropped, too: it is not refused."""
        found = handler(core_schema)
        described = handler.resolve_ref_schema(found)
        fields = described["properties"]
        fields |= {other: fields[name] for other, name in cls.spellings.items()}
        described["properties"] = {name: _or_null(field) for name, field in fields.items()}
        described["additionalProperties"] = {
            "description": "Refused, unless it is as good as not set.",
            "enum": [*_UNSET, False, None],
        }
        return found


def _or_null(field: JsonSchemaValue) -> JsonSchemaValue:
    if "$ref" in field:
        return {"anyOf": [field, {"type": "null"}]}
    return field | {"type": [field["type"], "null"]}


class RequestedAgent(_Json):
    """The agent that is to come; without a name it is the configured one."""

    # Of the two spellings one is enough, and two texts are refused.
    model_config = ConfigDict(
        json_schema_extra={
            "not": {
                "required": ["agent_name", "agentName"],
                "properties": {"agent_name": {"type": "string"}, "agentName": {"type": "string"}},
            }
        }
    )
    spellings: ClassVar = {"agentName": "agent_name"}

    agent_name: Name = Field(default="", validation_alias=AliasChoices("agent_name", "agentName"))
    metadata: JobMetadata = Field(
        default="",
        description=f"Reaches the job as it is. At most 32768 bytes as JSON, too. {_TOGETHER}",
    )
    deployment: Deployment = Field(
        default="", description="Which of the workers of this name; without it those without one."
    )
    attributes: JobAttributes = {}


class RequestedRoomConfig(_Json):
    """The only part of a room configuration that is a caller's to choose: at most one agent."""

    agents: list[RequestedAgent] = Field(default=[], max_length=1)


# A field of its own: an empty list of agents is what protobuf's JSON may write where none was set.
_AGENTLESS = "No agent is sent for this human. Refused, unless AGENTLESS_TOKENS is 1."

# Frozen: pydantic need not make or copy them for every request.
_NOTHING_REQUESTED = RequestedRoomConfig()
_ANY_AGENT = RequestedAgent()


class PlainTokenRequest(BaseModel):
    """Who wants to join which room, as far as a query can say it; every field is optional."""

    model_config = _STRICT

    room_name: Name = Field(
        default="", description="Without it: a fresh name that cannot be guessed."
    )
    participant_identity: Identity = Field(default="", description="Without it: a fresh UUID.")
    participant_name: ShownName = Field(default="", description="What others in the room see.")
    participant_metadata: QueryMetadata = ""
    agentless: QueryFlag = Field(default=False, description=_AGENTLESS)


class TokenRequest(_Json, PlainTokenRequest):
    """Who wants to join which room; every field is optional."""

    # Nobody asks for an agent and for none.
    model_config = ConfigDict(
        json_schema_extra={
            "not": {
                "required": ["agentless", "room_config"],
                "properties": {
                    "agentless": {"const": True},
                    "room_config": {
                        "type": "object",
                        "required": ["agents"],
                        "properties": {"agents": {"type": "array", "minItems": 1}},
                    },
                },
            }
        }
    )

    participant_metadata: Metadata = Field(default="", description=_TOGETHER)
    agentless: bool = Field(default=False, description=_AGENTLESS)
    participant_attributes: Attributes = {}
    room_config: RequestedRoomConfig = Field(default_factory=lambda: _NOTHING_REQUESTED)

    @field_validator("room_config")
    @classmethod
    def _check_agents(
        cls, value: RequestedRoomConfig, others: ValidationInfo
    ) -> RequestedRoomConfig:
        if value.agents and others.data.get("agentless"):
            raise ValueError("must have no agents where agentless is true")
        return value

    @property
    def agent(self) -> RequestedAgent:
        """The agent asked for; an empty one when the caller leaves it to us."""
        return next(iter(self.room_config.agents), _ANY_AGENT)


def parse_json(unverified_body: bytes) -> TokenRequest:
    """Read a POST's body; an empty one asks for everything by default.

    Raises:
        InvalidRequestError: Names the field and the rule.
    """
    return parse_body(TokenRequest, unverified_body)


def parse_body(model: type[Body], unverified_body: bytes) -> Body:
    """Read a POST's body as one of these, an empty one as an empty object.

    Raises:
        InvalidRequestError: Names the field and the rule.
    """
    try:
        return model.model_validate_json(unverified_body or b"{}")
    except ValidationError as error:
        raise InvalidRequestError(_broken_rule(error.errors()[0])) from None


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
        return TokenRequest.model_validate(dict(PlainTokenRequest.model_validate(given)))
    except ValidationError as error:
        raise InvalidRequestError(_broken_rule(error.errors()[0])) from None


def _broken_rule(problem: ErrorDetails) -> str:
    """Say one of pydantic's findings without the value: the field, then the rule."""
    path = ".".join(str(part) for part in problem["loc"])[:_FIELD_PATH_LIMIT] or "body"
    if problem["type"] == "extra_forbidden":
        return f"{path!r} is not a field that a caller may set"
    rule = problem["msg"].removeprefix("Value error, ")
    return f"{path} {rule[0].lower()}{rule[1:]}"
