"""What an operator can change, read from a mapping.

Only wsgi.py, gunicorn_conf.py and cli/__main__.py know os.environ.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from token_server.errors import SettingsError
from token_server.setting_types import (
    KeyPairs,
    Keys,
    Names,
    Origins,
    RateLimit,
    RedisUrl,
    Seconds,
    SecondsOrOff,
    Url,
    check_livekit_url,
    check_server_url,
    is_http_proxy,
    livekit_proxy,
    to_names,
)


class AgentDispatch(StrEnum):
    """When the agent is sent to a room."""

    JOIN = "join"
    TOKEN = "token"  # noqa: S105 (a mode, not a secret)
    AUTOMATIC = "automatic"


class TokenAuth(StrEnum):
    """Who may ask for a token."""

    NONE = "none"
    KEY = "key"
    JWT = "jwt"


class LogLevel(StrEnum):
    """Which log lines there are."""

    INFO = "info"
    DEBUG = "debug"


class ParticipantIdentities(StrEnum):
    """Whose choice identities are, where TOKEN_AUTH does not say who somebody is."""

    CHOSEN = "chosen"
    FRESH = "fresh"


class ParticipantMetadata(StrEnum):
    """Whose choice a participant's metadata and attributes are."""

    CALLER = "caller"
    NONE = "none"


class LogFormat(StrEnum):
    """How log lines look."""

    CONSOLE = "console"
    JSON = "json"


def _sentence(problem: ErrorDetails) -> str:
    """Say one of pydantic's findings as a line that starts with the variable's name."""
    name = str(problem["loc"][0])
    if problem["type"] == "missing":
        return f"{name} {_WHEN_MISSING.get(name, 'must be set')}"
    rule = problem["msg"].removeprefix("Value error, ")
    return f"{name}: {rule[0].lower()}{rule[1:]}"


_WHEN_MISSING = {
    "LIVEKIT_URL": "must be set to the LiveKit server, such as wss://HOST",
    "TOKEN_AUTH": "must be set: jwt (callers send the login token of your own frontend), key (they"
    " send a bearer key from TOKEN_KEYS) or none (anybody who can reach this server may join rooms"
    " at your expense)",
}


def _missing_together(given: Mapping[str, str]) -> list[str]:
    """List what other variables make necessary."""
    problems = []
    if "LIVEKIT_AGENT_NAME" not in given and given.get("AGENT_DISPATCH") != AgentDispatch.AUTOMATIC:
        problems.append(
            "LIVEKIT_AGENT_NAME must be set (the worker's too), or AGENT_DISPATCH=automatic"
        )
    if given.get("TOKEN_AUTH") == TokenAuth.KEY and not to_names(given.get("TOKEN_KEYS", "")):
        problems.append("TOKEN_KEYS must hold at least one key when TOKEN_AUTH=key")
    if given.get("TOKEN_AUTH") == TokenAuth.JWT:
        problems += [
            f"{name} must be set when TOKEN_AUTH=jwt"
            for name in ("TOKEN_JWT_ISSUER", "TOKEN_JWT_AUDIENCE")
            if name not in given
        ]
    return problems


_PROXIES = {"https_proxy", "http_proxy", "no_proxy"}
_WHAT_A_PROXY_IS = (
    "must look like http://HOST:PORT or http://USER:PASSWORD@HOST:PORT; or NO_PROXY must name"
    " LiveKit's host"
)


class Settings(BaseModel):
    """What an operator can change; each attribute's environment variable is its alias."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    livekit_url: Annotated[str, AfterValidator(check_livekit_url)] = Field(alias="LIVEKIT_URL")
    livekit_api_key: str = Field(alias="LIVEKIT_API_KEY", repr=False)
    livekit_api_secret: str = Field(alias="LIVEKIT_API_SECRET", repr=False)
    webhook_keys: KeyPairs = Field((), alias="LIVEKIT_WEBHOOK_KEYS", repr=False)
    agent_name: str = Field("", alias="LIVEKIT_AGENT_NAME")
    agent_dispatch: AgentDispatch = Field(AgentDispatch.JOIN, alias="AGENT_DISPATCH")
    agent_names: Names = Field((), alias="AGENT_NAMES")
    attend_rooms: Names = Field((), alias="ATTEND_ROOMS")
    token_auth: TokenAuth = Field(alias="TOKEN_AUTH")
    token_keys: Keys = Field((), alias="TOKEN_KEYS", repr=False)
    token_jwt_issuer: Url = Field("", alias="TOKEN_JWT_ISSUER")
    token_jwt_audience: Names = Field((), alias="TOKEN_JWT_AUDIENCE")
    token_jwt_jwks_url: Url = Field("", alias="TOKEN_JWT_JWKS_URL")
    token_jwt_identity_claim: str = Field("sub", alias="TOKEN_JWT_IDENTITY_CLAIM")
    token_jwt_name_claim: str = Field("name", alias="TOKEN_JWT_NAME_CLAIM")
    participant_identities: ParticipantIdentities = Field(
        ParticipantIdentities.CHOSEN, alias="PARTICIPANT_IDENTITIES"
    )
    participant_metadata: ParticipantMetadata = Field(
        ParticipantMetadata.CALLER, alias="PARTICIPANT_METADATA"
    )
    rate_limit: RateLimit = Field((), alias="RATE_LIMIT")
    trusted_proxies: int = Field(0, alias="TRUSTED_PROXIES", ge=0, le=8)
    room_names: Names = Field((), alias="ROOM_NAMES")
    token_ttl: Seconds = Field(timedelta(minutes=10), alias="TOKEN_TTL_SECONDS")
    room_empty_timeout: Seconds = Field(timedelta(minutes=5), alias="ROOM_EMPTY_TIMEOUT_SECONDS")
    room_departure_timeout: Seconds = Field(
        timedelta(seconds=20), alias="ROOM_DEPARTURE_TIMEOUT_SECONDS"
    )
    https_proxy: str = Field("", alias="HTTPS_PROXY", repr=False)
    http_proxy: str = Field("", alias="HTTP_PROXY", repr=False)
    no_proxy: str = Field("", alias="NO_PROXY")
    cors_origins: Origins = Field((), alias="CORS_ORIGINS")
    redis_url: RedisUrl = Field("", alias="REDIS_URL", repr=False)
    timeline: SecondsOrOff = Field(timedelta(hours=1), alias="TIMELINE_SECONDS")
    operator_keys: Keys = Field((), alias="OPERATOR_KEY", repr=False)
    demo: bool = Field(default=False, alias="DEMO")
    token_server_url: Annotated[str, AfterValidator(check_server_url)] = Field(
        "", alias="TOKEN_SERVER_URL"
    )
    log_format: LogFormat = Field(LogFormat.CONSOLE, alias="LOG_FORMAT")
    log_level: LogLevel = Field(LogLevel.INFO, alias="LOG_LEVEL")
    host: str = Field("0.0.0.0", alias="HOST")  # noqa: S104 (a platform's router comes from outside)
    port: int = Field(8080, alias="PORT", ge=1, le=65535)
    web_concurrency: int = Field(2, alias="WEB_CONCURRENCY", ge=1, le=64)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from environment variables; an empty variable counts as not set.

        Raises:
            SettingsError: With one line for every variable that is missing or wrong.
        """
        known = {field.alias for field in cls.model_fields.values()}
        # Of https_proxy and HTTPS_PROXY, most programs believe the former.
        environ = {**environ, **{name.upper(): environ[name] for name in _PROXIES & set(environ)}}
        given = {name: value for name, value in environ.items() if name in known and value.strip()}
        problems = []
        try:
            settings = cls.model_validate(given)
            if (proxy := settings.livekit_proxy) and not is_http_proxy(proxy):
                name = "HTTPS_PROXY" if settings.server_url.startswith("wss") else "HTTP_PROXY"
                problems.append(f"{name} {_WHAT_A_PROXY_IS}")
        except ValidationError as error:
            problems += [_sentence(problem) for problem in error.errors()]
        problems += _missing_together(given)
        if problems:
            raise SettingsError("\n".join(problems))
        return settings

    @property
    def server_url(self) -> str:
        """Where clients connect: LIVEKIT_URL, as ws:// or wss://."""
        return (
            self.livekit_url.replace("http", "ws", 1)
            if self.livekit_url.startswith("http")
            else self.livekit_url
        )

    @property
    def livekit_proxy(self) -> str:
        """The proxy that leads to LiveKit; "" for none."""
        proxies = {"https": self.https_proxy, "http": self.http_proxy, "no": self.no_proxy}
        return livekit_proxy(self.livekit_url, proxies)

    @property
    def webhook_secrets(self) -> dict[str, str]:
        """The secret of each API key that may sign webhooks; LIVEKIT_API_KEY is the first."""
        return {self.livekit_api_key: self.livekit_api_secret} | dict(self.webhook_keys)

    @property
    def allowed_agent_names(self) -> tuple[str, ...]:
        """The agents that a caller may ask for, the configured one first; automatic: only ""."""
        if self.agent_dispatch is AgentDispatch.AUTOMATIC:
            return ("",)
        return tuple(dict.fromkeys((self.agent_name, *self.agent_names)))
