"""What an operator can change, read from a mapping.

Only wsgi.py, gunicorn_conf.py and cli/__main__.py know os.environ.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from shared_settings.livekit_url import LiveKitUrl, websocket_url
from shared_settings.settings import AgentDispatch, SharedSettings, TokenAuth
from token_server.proxies import Proxies, in_capitals, is_http_proxy, proxy_setting
from token_server.setting_types import (
    AgentRules,
    HeaderName,
    KeyPairs,
    Keys,
    Names,
    Origins,
    RateLimit,
    RedisUrl,
    Seconds,
    SecondsOrOff,
    Url,
    is_on,
    is_open_http,
    to_names,
    unverified,
)


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


_WHAT_A_PROXY_IS = (
    "must look like http://HOST:PORT or http://USER:PASSWORD@HOST:PORT; or NO_PROXY must name"
    " the host that is asked"
)

# LiveKit Cloud's small plans have 1,000 requests a minute (livekit-behaviour 100); a tenth is left
# for others: the worker, the doctor, a backend.
_CLOUDS_QUOTA = 900
_NOT_AGENTLESS = (
    "AGENTLESS_TOKENS must be 0 when AGENT_DISPATCH=automatic: LiveKit sends the agent to every new"
    " room by itself, whoever is in it"
)
_NO_OPTIONS = (
    "DISPATCH_OPTIONS must be 0 when AGENT_DISPATCH=automatic: LiveKit sends the agent by itself,"
    " with none"
)


class Settings(SharedSettings):
    """What an operator can change; each attribute's environment variable is its alias."""

    livekit_public_url: LiveKitUrl = Field("", alias="LIVEKIT_PUBLIC_URL")
    given_requests_per_minute: int | None = Field(
        None, alias="LIVEKIT_REQUESTS_PER_MINUTE", ge=0, le=1_000_000
    )
    webhook_keys: KeyPairs = Field((), alias="LIVEKIT_WEBHOOK_KEYS", repr=False)
    agent_names: Names = Field((), alias="AGENT_NAMES")
    attend_rooms: Names = Field((), alias="ATTEND_ROOMS")
    agent_rules: AgentRules = Field((), alias="AGENT_RULES")
    agentless_tokens: bool = Field(default=False, alias="AGENTLESS_TOKENS")
    dispatch_options: bool = Field(default=False, alias="DISPATCH_OPTIONS")
    token_auth: TokenAuth = Field(alias="TOKEN_AUTH")
    token_keys: Keys = Field((), alias="TOKEN_KEYS", repr=False)
    token_jwt_issuer: Url = Field("", alias="TOKEN_JWT_ISSUER")
    token_jwt_audience: Names = Field((), alias="TOKEN_JWT_AUDIENCE")
    token_jwt_jwks_url: Url = Field("", alias="TOKEN_JWT_JWKS_URL")
    token_jwt_trust_without_audience: bool = Field(
        default=False, alias="TOKEN_JWT_TRUST_WITHOUT_AUDIENCE"
    )
    token_jwt_trust_plain_http: bool = Field(default=False, alias="TOKEN_JWT_TRUST_PLAIN_HTTP")
    token_jwt_identity_claim: str = Field("sub", alias="TOKEN_JWT_IDENTITY_CLAIM")
    token_jwt_name_claim: str = Field("name", alias="TOKEN_JWT_NAME_CLAIM")
    participant_identities: ParticipantIdentities = Field(
        ParticipantIdentities.CHOSEN, alias="PARTICIPANT_IDENTITIES"
    )
    participant_metadata: ParticipantMetadata = Field(
        ParticipantMetadata.CALLER, alias="PARTICIPANT_METADATA"
    )
    rate_limit: RateLimit = Field((), alias="RATE_LIMIT")
    rate_limit_key: RateLimit = Field((), alias="RATE_LIMIT_KEY")
    end_user_header: HeaderName = Field("", alias="END_USER_HEADER")
    sessions_per_caller: int = Field(0, alias="SESSIONS_PER_CALLER", ge=0, le=100)
    trusted_proxies: int = Field(0, alias="TRUSTED_PROXIES", ge=0, le=8)
    room_names: Names = Field((), alias="ROOM_NAMES")
    token_ttl: Seconds = Field(timedelta(minutes=10), alias="TOKEN_TTL_SECONDS")
    room_empty_timeout: Seconds = Field(timedelta(minutes=10), alias="ROOM_EMPTY_TIMEOUT_SECONDS")
    room_departure_timeout: Seconds = Field(
        timedelta(seconds=20), alias="ROOM_DEPARTURE_TIMEOUT_SECONDS"
    )
    https_proxy: str = Field("", alias="HTTPS_PROXY", repr=False)
    http_proxy: str = Field("", alias="HTTP_PROXY", repr=False)
    no_proxy: str = Field("", alias="NO_PROXY")
    cors_origins: Origins = Field((), alias="CORS_ORIGINS")
    given_redis_url: RedisUrl = Field("", alias="REDIS_URL", repr=False)
    redis_tls_verify: bool = Field(default=True, alias="REDIS_TLS_VERIFY")
    timeline: SecondsOrOff = Field(timedelta(hours=1), alias="TIMELINE_SECONDS")
    operator_keys: Keys = Field((), alias="OPERATOR_KEY", repr=False)
    demo: bool = Field(default=False, alias="DEMO")
    log_level: LogLevel = Field(LogLevel.INFO, alias="LOG_LEVEL")
    web_concurrency: int = Field(2, alias="WEB_CONCURRENCY", ge=1, le=64)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from environment variables; an empty variable counts as not set.

        Raises:
            SettingsError: With one line for every variable that is missing or wrong.
        """
        return super().from_environ(in_capitals(environ))

    @classmethod
    def broken_together(cls, given: Mapping[str, str]) -> list[str]:
        """Return the rules that several variables break with each other."""
        problems = super().broken_together(given)
        if given.get("AGENT_DISPATCH") == AgentDispatch.AUTOMATIC and "AGENT_RULES" in given:
            problems.append(
                "AGENT_RULES must be empty when AGENT_DISPATCH=automatic: it names none"
            )
        auth = given.get("TOKEN_AUTH")
        if auth == TokenAuth.KEY and not to_names(given.get("TOKEN_KEYS", "")):
            problems.append("TOKEN_KEYS must hold at least one key when TOKEN_AUTH=key")
        if auth == TokenAuth.JWT and "TOKEN_JWT_ISSUER" not in given:
            problems.append("TOKEN_JWT_ISSUER must be set when TOKEN_AUTH=jwt")
        return [*problems, *_audience_problems(given), *_http_problems(given)]

    @model_validator(mode="after")
    def _check_proxy(self) -> Self:
        issuer = (self.token_jwt_jwks_url or self.token_jwt_issuer,)
        asked = self.livekit_url, *(issuer if self.token_auth is TokenAuth.JWT else ())
        for url in asked:
            if (proxy := self.proxies.to(url)) and not is_http_proxy(proxy):
                raise ValueError(f"{proxy_setting(url)} {_WHAT_A_PROXY_IS}")
        return self

    @model_validator(mode="after")
    def _check_automatic(self) -> Self:
        is_automatic = self.agent_dispatch is AgentDispatch.AUTOMATIC
        if is_automatic and self.agentless_tokens:
            raise ValueError(_NOT_AGENTLESS)
        if is_automatic and self.dispatch_options:
            raise ValueError(_NO_OPTIONS)
        return self

    @property
    def redis_url(self) -> str:
        """REDIS_URL as REDIS_TLS_VERIFY has it opened; "" for none."""
        url = self.given_redis_url
        return url if self.redis_tls_verify else unverified(url)

    @property
    def server_url(self) -> str:
        """Where clients connect: LIVEKIT_PUBLIC_URL or LIVEKIT_URL, as ws:// or wss://."""
        return websocket_url(self.livekit_public_url or self.livekit_url)

    @property
    def livekit_proxy(self) -> str:
        """The proxy that leads to LiveKit; "" for none."""
        return self.proxies.to(self.livekit_url)

    @property
    def requests_per_minute(self) -> int:
        """How many requests a minute LiveKit may be asked; 0: any number."""
        if self.given_requests_per_minute is not None:
            return self.given_requests_per_minute
        host = urlsplit(self.livekit_url).hostname or ""
        return _CLOUDS_QUOTA if host.endswith(".livekit.cloud") else 0

    @property
    def proxies(self) -> Proxies:
        """The proxies that lead to others."""
        return Proxies(https=self.https_proxy, http=self.http_proxy, no=self.no_proxy)

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

    @property
    def known_agent_names(self) -> tuple[str, ...]:
        """The agents that rooms may want: those, and the ones of AGENT_RULES."""
        by_rule = (name for _, name in self.agent_rules)
        return tuple(dict.fromkeys((*self.allowed_agent_names, *by_rule)))


def _audience_problems(given: Mapping[str, str]) -> Iterator[str]:
    """Say whether login tokens are to be for somebody, or explicitly for nobody."""
    has_audience = bool(to_names(given.get("TOKEN_JWT_AUDIENCE", "")))
    trusts = is_on(given.get("TOKEN_JWT_TRUST_WITHOUT_AUDIENCE", "0"))
    if has_audience and trusts:
        yield (
            "TOKEN_JWT_AUDIENCE must be empty when TOKEN_JWT_TRUST_WITHOUT_AUDIENCE=1: a token"
            " without aud is for none of these"
        )
    if given.get("TOKEN_AUTH") == TokenAuth.JWT and not has_audience and not trusts:
        yield (
            "TOKEN_JWT_AUDIENCE must be set when TOKEN_AUTH=jwt; where the issuer's tokens have no"
            " aud, set TOKEN_JWT_TRUST_WITHOUT_AUDIENCE=1 instead: then a login at any application"
            " of the issuer is good here"
        )


def _http_problems(given: Mapping[str, str]) -> Iterator[str]:
    """Say where the issuer's keys would come over a way on which others can answer."""
    if is_on(given.get("TOKEN_JWT_TRUST_PLAIN_HTTP", "0")):
        return
    for name in ("TOKEN_JWT_ISSUER", "TOKEN_JWT_JWKS_URL"):
        if is_open_http(given.get(name, "")):
            yield (
                f"{name} must be https: whoever can answer in the issuer's place can log in as"
                " anybody; in a network where nobody else can, TOKEN_JWT_TRUST_PLAIN_HTTP=1 allows"
                " http"
            )
