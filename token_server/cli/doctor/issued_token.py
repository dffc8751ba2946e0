"""What the token server hands out: is it a token, for our LiveKit, with our agent, long enough?

The token is read and never shown.
"""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import jwt

from shared_settings.settings import TokenAuth
from token_server.cli.asking import HttpResult, bearer
from token_server.cli.doctor.checks import Check, Trouble, ok
from token_server.cli.doctor.livekit import CLOCKS_MAY_DIFFER, QUOTA
from token_server.cli.doctor.server import Server
from token_server.settings import Settings
from token_server.tokens.room_patterns import agent_by_rule

# Seconds. LiveKit's TokenSource fetches a new token when the old one has 60 s left.
SHORTEST_LIFETIME = 61.0
_UNAUTHORIZED, _TOO_MANY = 401, 429
# The server's words of what it wants to be shown (auth/logins.py).
_LOGIN = "login token"


@dataclass(frozen=True, kw_only=True)
class IssuedToken:
    """A token, what it says, and which room it is for."""

    participant_token: str = field(repr=False)
    server_url: str
    room_name: str
    participant_identity: str
    claims: dict[str, Any] = field(repr=False)

    @property
    def agent_name(self) -> str:
        """The agent that the token brings along."""
        agents = self.claims.get("roomConfig", {}).get("agents") or [{}]
        return str(agents[0].get("agentName", ""))


def fetch(server: Server, fields: Mapping[str, str]) -> HttpResult:
    """POST /token; what the server does not let us choose is left to it.

    Without its environment we do not know beforehand.
    """
    answer = server.ask("POST", "/token", bearer(server.login), fields)
    refused = refused_field(answer, fields)
    if not refused:
        return answer
    return fetch(server, {name: value for name, value in fields.items() if name != refused})


def refused_field(answer: HttpResult, fields: Iterable[str]) -> str:
    """Return which of these is not ours to choose, as the server says it; "" if none is."""
    if answer.status != HTTPStatus.FORBIDDEN:
        return ""
    said = str(answer.content.get("msg", "")).partition(" ")[0]
    return said if said in fields else ""


def read(answer: HttpResult) -> IssuedToken | None:
    """Read the token out of an answer; None if there is none in it."""
    content = answer.content
    try:
        return IssuedToken(
            participant_token=content["participant_token"],
            server_url=content["server_url"],
            room_name=content["room_name"],
            participant_identity=content["participant_identity"],
            claims=jwt.decode(content["participant_token"], options={"verify_signature": False}),
        )
    except (KeyError, TypeError, jwt.PyJWTError):
        return None


def check_issued(
    answer: HttpResult, settings: Settings | None, *, has_login: bool, asked_url: str = ""
) -> Check:
    """Say whether there is a token, and if not, why; without the server's settings, as it says.

    Args:
        answer: The token server's.
        settings: Ours; None where there are none.
        has_login: Whether it was shown a key or login.
        asked_url: What was typed as --url and has to be typed again; "" for nothing.
    """
    if answer.silence:
        return Trouble("server-not-ready", "Read the token server's log.").wrong(
            "token", "POST /token is not answered.", answer.silence
        )
    if read(answer):
        return ok("token", "A frontend gets a token.", f"{answer.seconds * 1000:.0f} ms")
    evidence = (f"HTTP {answer.status}", f"it says: {answer.content.get('msg', 'nothing')}")
    if answer.status == _UNAUTHORIZED:
        said = str(answer.content.get("msg", ""))
        is_jwt = settings is not None and settings.token_auth is TokenAuth.JWT
        wants_login = _LOGIN in said or is_jwt
        command = f"token-server doctor{f' --url {shlex.quote(asked_url)}' if asked_url else ''}"
        return _unauthenticated(evidence, command, wants_login=wants_login, has_login=has_login)
    if answer.status == _TOO_MANY:
        seconds = answer.headers.get("retry-after", "some")
        return Trouble("rate-limited", f"Run this again in {seconds} s.").unknown(
            "token", "A limit holds the doctor up.", *evidence
        )
    if "LIVEKIT_REQUESTS_PER_MINUTE" in str(answer.content.get("msg", "")):
        return QUOTA.wrong("token", "LiveKit's quota of requests is used up.", *evidence)
    return Trouble("server-refuses", "Do what it says; its log says more.").wrong(
        "token", "The token server gives no token.", *evidence
    )


def _unauthenticated(
    evidence: tuple[str, ...], command: str, *, wants_login: bool, has_login: bool
) -> Check:
    if has_login:
        cure = (
            f"Show one that it takes: `{command} --login KEY`, or set the TOKEN_KEYS that it runs"
            " with."
        )
        if wants_login:
            cure = (
                "Show a login token that has not expired, from TOKEN_JWT_ISSUER and for"
                f" TOKEN_JWT_AUDIENCE: `{command} --login TOKEN`."
            )
        return Trouble("server-refuses", cure).wrong(
            "token", "The token server refuses our key or login token.", *evidence
        )
    cure = f"Run `{command} --login KEY` with one of its TOKEN_KEYS."
    if wants_login:
        cure = f"Run `{command} --login TOKEN` with a login token of your frontend."
    return Trouble("login-needed", cure).unknown(
        "token", "The token server wants to know who asks.", *evidence
    )


def check_same_livekit(token: IssuedToken, settings: Settings, *, has_room: bool | None) -> Check:
    """Say whether the token is for the LiveKit that we look at, and for our agent.

    Args:
        token: As it was issued.
        settings: Ours.
        has_room: Whether our LiveKit has the token's room; None if it did not answer.
    """
    if reason := _foreign_signature(token, settings):
        return Trouble(
            "other-credentials",
            "Give the token server and this command the same LIVEKIT_URL, LIVEKIT_API_KEY and"
            " LIVEKIT_API_SECRET, and start the token server again.",
        ).wrong("same LiveKit", "The token server runs with other LiveKit credentials.", reason)
    theirs, ours = urlsplit(token.server_url).netloc, urlsplit(settings.server_url).netloc
    if has_room is False:
        return Trouble(
            "other-livekit", f"Set LIVEKIT_URL to {token.server_url} here, or there to ours."
        ).wrong(
            "same LiveKit",
            "The token server makes its rooms on another LiveKit.",
            f"theirs is {theirs}, ours {ours}",
            "ours does not have the room of the token",
        )
    default = settings.allowed_agent_names[0]
    ours_name = agent_by_rule(settings.agent_rules, token.room_name, default)
    if token.agent_name != ours_name:
        return Trouble(
            "other-agent-name",
            "Give the token server, the worker and this command one LIVEKIT_AGENT_NAME, and start"
            " web and worker again.",
        ).wrong(
            "same agent",
            f"The token server asks for the agent {_name(token.agent_name)}, and"
            f" {_name(ours_name)} is set here.",
        )
    room = "our LiveKit has its room" if has_room else "LiveKit did not say if it has its room"
    evidence = [room] if theirs == ours else [room, f"server_url is {token.server_url}"]
    return ok("same LiveKit", "The token is for our LiveKit and our agent.", *evidence)


def _foreign_signature(token: IssuedToken, settings: Settings) -> str:
    if token.claims.get("iss") != settings.livekit_api_key:
        return "the token's issuer is another API key than LIVEKIT_API_KEY"
    try:
        jwt.decode(
            token.participant_token,
            settings.livekit_api_secret,
            algorithms=["HS256"],
            options={"verify_exp": False, "verify_nbf": False, "verify_aud": False},
        )
    except jwt.PyJWTError:
        return "its key is LIVEKIT_API_KEY, signed with another secret than LIVEKIT_API_SECRET"
    return ""


def check_lifetime(token: IssuedToken, livekit_now: float) -> Check:
    """Say whether there is time to join, by LiveKit's clock (Unix seconds)."""
    begins, ends = (float(token.claims.get(name, livekit_now)) for name in ("nbf", "exp"))
    ahead = begins - livekit_now
    if abs(ahead) > CLOCKS_MAY_DIFFER:
        which = "ahead of" if ahead > 0 else "behind"
        return Trouble(
            "clock", "Set the clock of the token server's machine (`timedatectl set-ntp true`)."
        ).wrong("lifetime", f"The token server's clock is {abs(ahead):.0f} s {which} LiveKit's.")
    if ends - begins < SHORTEST_LIFETIME:
        return Trouble(
            "token-lifetime",
            "Set TOKEN_TTL_SECONDS=600 (or more than 60) on the token server, and start it again.",
        ).wrong(
            "lifetime",
            f"A token is good for {ends - begins:.0f} s.",
            "LiveKit's clients drop a token that has 60 s left: theirs is never good",
        )
    return ok("lifetime", f"A token is good for {ends - begins:.0f} s.")


def _name(agent_name: str) -> str:
    return f"`{agent_name}`" if agent_name else "without a name (AGENT_DISPATCH=automatic)"
