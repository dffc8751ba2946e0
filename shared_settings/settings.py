"""The settings that both processes have, and how they read these and their own."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from shared_settings.livekit_url import LiveKitUrl
from shared_settings.token_server_url import DEFAULT_PORT, Host, ServerUrl


class SettingsError(Exception):
    """The environment does not describe a process that can start; one line for each problem."""


class AgentDispatch(StrEnum):
    """When the agent is sent to a room; the worker's name and its patience depend on it."""

    JOIN = "join"
    TOKEN = "token"  # noqa: S105 (a mode, not a secret)
    AUTOMATIC = "automatic"


class TokenAuth(StrEnum):
    """Who may ask for a token."""

    NONE = "none"
    KEY = "key"
    JWT = "jwt"


class LogFormat(StrEnum):
    """How log lines look."""

    CONSOLE = "console"
    JSON = "json"


class SharedSettings(BaseModel):
    """What both read; each attribute's environment variable is its alias."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    livekit_url: LiveKitUrl = Field(alias="LIVEKIT_URL")
    livekit_api_key: str = Field(alias="LIVEKIT_API_KEY", repr=False)
    livekit_api_secret: str = Field(alias="LIVEKIT_API_SECRET", repr=False)
    agent_name: str = Field("", alias="LIVEKIT_AGENT_NAME")
    agent_dispatch: AgentDispatch = Field(AgentDispatch.JOIN, alias="AGENT_DISPATCH")
    agent_silent_seconds: float = Field(2.0, alias="AGENT_SILENT_SECONDS", ge=0, le=60)
    agent_blocked_seconds: float = Field(5.0, alias="AGENT_BLOCKED_SECONDS", ge=0, le=600)
    log_format: LogFormat = Field(LogFormat.CONSOLE, alias="LOG_FORMAT")
    # The worker tells the token server where it is; commands ask it there.
    token_server_url: ServerUrl = Field("", alias="TOKEN_SERVER_URL")
    host: Host = Field("0.0.0.0", alias="HOST")  # noqa: S104 (a platform's router is outside)
    port: int = Field(DEFAULT_PORT, alias="PORT", ge=1, le=65535)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from environment variables; an empty variable counts as not set.

        Raises:
            SettingsError: With one line for every variable that is missing or wrong.
        """
        known = {field.alias for field in cls.model_fields.values()}
        given = {k: v.strip() for k, v in environ.items() if k in known and v.strip()}
        # pydantic looks at variables together only once each of them is right on its own.
        problems = cls.broken_together(given)
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            problems = [*map(_sentence, error.errors()), *problems]
        if problems:
            raise SettingsError("\n".join(problems))
        return settings

    @classmethod
    def broken_together(cls, given: Mapping[str, str]) -> list[str]:
        """Return the rules that several variables break with each other."""
        is_automatic = given.get("AGENT_DISPATCH") == AgentDispatch.AUTOMATIC
        return [] if is_automatic or "LIVEKIT_AGENT_NAME" in given else [_NAMELESS]


_NAMELESS = (
    "LIVEKIT_AGENT_NAME must be set, to the same for the token server and the worker, or"
    " AGENT_DISPATCH=automatic"
)
_WHEN_MISSING = {
    "LIVEKIT_URL": "must be set to the LiveKit server, such as wss://HOST",
    "TOKEN_AUTH": "must be set: jwt (callers send the login token of your own frontend), key (they"
    " send a bearer key from TOKEN_KEYS) or none (anybody who can reach this server may join rooms"
    " at your expense)",
}


def _sentence(problem: ErrorDetails) -> str:
    """Say one of pydantic's findings as a sentence that starts with the variable's name."""
    rule = problem["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    if not problem["loc"]:
        return rule
    name = str(problem["loc"][0])
    if problem["type"] == "missing":
        rule = _WHEN_MISSING.get(name, "must be set")
    return f"{name} {rule[0].lower()}{rule[1:]}"
