"""What an operator can change about the worker, read from a mapping.

Only __main__.py knows os.environ.
"""

import ipaddress
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

_VOICE_MODELS = ("VOICE_STT", "VOICE_LLM", "VOICE_TTS")


class SettingsError(Exception):
    """The environment cannot start a worker; the message has one line per problem."""


class AgentDispatch(StrEnum):
    """When the agent is sent to a room; the worker only cares whether it has a name."""

    JOIN = "join"
    TOKEN = "token"  # noqa: S105 (a mode, not a secret)
    AUTOMATIC = "automatic"


class VoiceInstructions(StrEnum):
    """Whose words in a job's metadata the voice agent follows."""

    BACKEND = "backend"
    CALLER = "caller"
    NONE = "none"


class LogFormat(StrEnum):
    """How log lines look."""

    CONSOLE = "console"
    JSON = "json"


class VoiceModels(BaseModel):
    """The three models of LiveKit Inference that make a voice agent."""

    model_config = ConfigDict(frozen=True)

    stt: str
    llm: str
    tts: str


def _check_livekit_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"ws", "wss", "http", "https"} or not parts.hostname:
        raise ValueError("must look like wss://HOST or ws://HOST:PORT")
    return value.rstrip("/")


def _check_address(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise ValueError("must be an address of this machine, such as 127.0.0.1 or ::1") from None
    return value


def _sentence(problem: ErrorDetails) -> str:
    """Say one of pydantic's findings as a line that starts with the variable's name."""
    rule = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return rule
    if problem["type"] == "missing":
        rule = "must be set"
    return f"{problem['loc'][0]}: {rule[0].lower()}{rule[1:]}"


class AgentSettings(BaseModel):
    """What an operator can change; each attribute's environment variable is its alias."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    livekit_url: Annotated[str, AfterValidator(_check_livekit_url)] = Field(alias="LIVEKIT_URL")
    livekit_api_key: str = Field(alias="LIVEKIT_API_KEY", repr=False)
    livekit_api_secret: str = Field(alias="LIVEKIT_API_SECRET", repr=False)
    agent_name: str = Field("", alias="LIVEKIT_AGENT_NAME")
    agent_dispatch: AgentDispatch = Field(AgentDispatch.JOIN, alias="AGENT_DISPATCH")
    health_host: Annotated[str, AfterValidator(_check_address)] = Field(
        "127.0.0.1", alias="LIVEKIT_AGENT_HOST"
    )
    health_port: int = Field(8081, alias="LIVEKIT_AGENT_PORT", ge=0, le=65535)
    idle_processes: int = Field(4, alias="LIVEKIT_AGENT_IDLE_PROCESSES", ge=1, le=64)
    max_jobs: int = Field(25, alias="LIVEKIT_AGENT_MAX_JOBS", ge=1, le=1000)
    drain_seconds: int = Field(3600, alias="LIVEKIT_AGENT_DRAIN_SECONDS", ge=1)
    voice_stt: str = Field("", alias="VOICE_STT")
    voice_llm: str = Field("", alias="VOICE_LLM")
    voice_tts: str = Field("", alias="VOICE_TTS")
    voice_instructions: VoiceInstructions = Field(
        VoiceInstructions.BACKEND, alias="VOICE_INSTRUCTIONS"
    )
    # The token server's: whatever it is, the worker starts.
    token_auth: str = Field("", alias="TOKEN_AUTH", repr=False)
    log_format: LogFormat = Field(LogFormat.CONSOLE, alias="LOG_FORMAT")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from environment variables; an empty variable counts as not set.

        Raises:
            SettingsError: With one line for every variable that is missing or wrong.
        """
        known = {field.alias for field in cls.model_fields.values()}
        given = {k: v.strip() for k, v in environ.items() if k in known and v.strip()}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            problems = [_sentence(problem) for problem in error.errors()]
        # pydantic looks at variables together only once each of them is right on its own.
        problems += [rule for rule in _broken_together(given) if rule not in problems]
        raise SettingsError("\n".join(problems))

    @property
    def registered_name(self) -> str:
        """The name the worker registers under; "" makes LiveKit send it to every room."""
        return "" if self.agent_dispatch is AgentDispatch.AUTOMATIC else self.agent_name

    @property
    def voice_models(self) -> VoiceModels | None:
        """The models of the voice agent; None means the parrot talks."""
        if not self.voice_stt:
            return None
        return VoiceModels(stt=self.voice_stt, llm=self.voice_llm, tts=self.voice_tts)

    @property
    def follows_instructions(self) -> bool:
        """Whether the voice agent follows a job's metadata: by default what a backend wrote.

        With TOKEN_AUTH=key only backends get tokens, and with them a say in metadata.
        """
        if self.voice_instructions is VoiceInstructions.BACKEND:
            return self.token_auth == "key"  # noqa: S105 (a mode, not a secret)
        return self.voice_instructions is VoiceInstructions.CALLER

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if problems := _broken_together(self.model_dump(by_alias=True)):
            raise ValueError("\n".join(problems))
        return self


def _broken_together(given: Mapping[str, object]) -> list[str]:
    """Return the rules that several variables break with each other."""
    problems = []
    if not given.get("LIVEKIT_AGENT_NAME") and given.get("AGENT_DISPATCH") != "automatic":
        problems.append(
            "LIVEKIT_AGENT_NAME: must be set (the token server's too), or AGENT_DISPATCH=automatic"
        )
    missing = [name for name in _VOICE_MODELS if not given.get(name)]
    if 0 < len(missing) < len(_VOICE_MODELS):
        problems.append(f"{missing[0]}: must be set when another VOICE_ model is; all or none")
    return problems
