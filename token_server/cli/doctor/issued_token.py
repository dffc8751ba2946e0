"""What the token server hands out: is it a token, for our LiveKit, with our agent, long enough?

The token is read and never shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import jwt

from shared_settings.settings import TokenAuth
from token_server.cli.asking import HttpResult, bearer
from token_server.cli.doctor.asked_agent import check_allowed
from token_server.cli.doctor.checks import Check, Trouble, ok
from token_server.cli.doctor.livekit import CLOCKS_MAY_DIFFER, QUOTA
from token_server.cli.doctor.server import Server
from token_server.cli.doctor.steps import KEY, LOGIN_TOKEN, SET_CLOCK, Again, Setting, Start
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


def fetch(server: Server, fields: Mapping[str, object]) -> HttpResult:
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
    answer: HttpResult, settings: Settings | None, *, has_login: bool, agent_name: str = ""
) -> Check:
    """Say whether there is a token, and if not, why; without the server's settings, as it says.

    Args:
        answer: The token server's.
        settings: Ours; None where there are none.
        has_login: Whether it was shown a key or login.
        agent_name: The agent that was asked for; "" where it was left to the server.
    """
    if answer.silence:
        cure = "Start the token server again; the end of its log says what kept it."
        return Trouble("server-not-ready", cure, (Start.WEB,)).wrong(
            "token", "The token server runs, and POST /token is not answered.", answer.silence
        )
    if read(answer):
        return ok("token", "A frontend gets a token.", f"{answer.seconds * 1000:.0f} ms")
    evidence = (f"HTTP {answer.status}", f"it says: {answer.content.get('msg', 'nothing')}")
    if answer.status == _UNAUTHORIZED:
        said = str(answer.content.get("msg", ""))
        is_jwt = settings is not None and settings.token_auth is TokenAuth.JWT
        return _unauthenticated(evidence, wants_login=_LOGIN in said or is_jwt, has_login=has_login)
    if answer.status == _TOO_MANY:
        seconds = answer.headers.get("retry-after", "60")
        cure = f"Run this again in {seconds} s: the limit that it names then has room again."
        return Trouble("rate-limited", cure, (f"sleep {_whole(seconds)}", Again())).unknown(
            "token", "A limit of the token server's holds the doctor up, too.", *evidence
        )
    if "LIVEKIT_REQUESTS_PER_MINUTE" in str(answer.content.get("msg", "")):
        return QUOTA.wrong("token", "LiveKit's quota of requests is used up.", *evidence)
    return check_allowed(answer, agent_name, settings) or Trouble(
        "server-refuses",
        "Mend what it says: it names the field or setting and the rule. Then run this again.",
        (Again(),),
    ).wrong("token", "The token server gives no token, and says why.", *evidence)


def _whole(seconds: str) -> int:
    """Return a Retry-After in seconds; a minute where it is a date."""
    return int(seconds) if seconds.isdecimal() else 60


def _unauthenticated(evidence: tuple[str, ...], *, wants_login: bool, has_login: bool) -> Check:
    again = (Again(login=LOGIN_TOKEN if wants_login else KEY),)
    if has_login:
        cure = "Show one of the TOKEN_KEYS that it runs with, or set these here."
        if wants_login:
            cure = (
                "Show a login token that has not expired, from TOKEN_JWT_ISSUER and for"
                " TOKEN_JWT_AUDIENCE."
            )
        return Trouble("server-refuses", cure, again).wrong(
            "token", "The token server does not take the key or login token shown.", *evidence
        )
    cure = "Show one of its TOKEN_KEYS, as it is and not as a hash."
    if wants_login:
        cure = "Show a login token of your frontend, as a caller does."
    return Trouble("login-needed", cure, again).unknown(
        "token", "The token server wants to know who asks, and the settings do not say.", *evidence
    )


def check_same_livekit(
    token: IssuedToken, settings: Settings, *, has_room: bool | None, agent_name: str = ""
) -> Check:
    """Say whether the token is for the LiveKit that we look at, and for our agent.

    Args:
        token: As it was issued.
        settings: Ours.
        has_room: Whether our LiveKit has the token's room; None if it did not answer.
        agent_name: The agent that was asked for; "" where it was left to the server.
    """
    if reason := _foreign_signature(token, settings):
        return Trouble(
            "other-credentials",
            "Start the token server again with the LIVEKIT_URL, LIVEKIT_API_KEY and"
            " LIVEKIT_API_SECRET that are set here, and with which LiveKit answers here: it runs"
            " with what was set when it was started.",
            (Start.WEB,),
        ).wrong(
            "same LiveKit",
            "The token server runs with other LiveKit credentials than the ones here.",
            reason,
        )
    theirs, ours = urlsplit(token.server_url).netloc, urlsplit(settings.server_url).netloc
    if has_room is False:
        return Trouble(
            "other-livekit",
            "Start the token server again with the LIVEKIT_URL that is set here; or, if its own is"
            f" the right one, set LIVEKIT_URL={token.server_url} here.",
            (Start.WEB,),
        ).wrong(
            "same LiveKit",
            "The token server makes its rooms on another LiveKit than LIVEKIT_URL's here.",
            f"theirs is {theirs}, ours {ours}",
            "ours does not have the room of the token",
        )
    default = settings.allowed_agent_names[0]
    ours_name = agent_name or agent_by_rule(settings.agent_rules, token.room_name, default)
    if token.agent_name != ours_name:
        return Trouble(
            "other-agent-name",
            "Start web and worker again, so that they have the LIVEKIT_AGENT_NAME of here: they run"
            " with what was set when they were started. If theirs is the right one, set it here. To"
            " look at another agent than theirs, leave the name as it is and add --agent NAME.",
            (Start.WEB, Start.WORKER),
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
            "clock",
            "Let the clock of the token server's machine be set by NTP.",
            (SET_CLOCK,),
        ).wrong(
            "lifetime",
            f"The token server's clock is {abs(ahead):.0f} s {which} LiveKit's: its tokens begin"
            " and end at wrong times.",
        )
    if ends - begins < SHORTEST_LIFETIME:
        return Trouble(
            "token-lifetime",
            "Set TOKEN_TTL_SECONDS=600, the usual (or another above 60), on the token server, and"
            " start it again.",
            (Setting("TOKEN_TTL_SECONDS", "600"), Start.WEB),
        ).wrong(
            "lifetime",
            f"A token is good for {ends - begins:.0f} s, which is too short to join with.",
            "LiveKit's clients drop a token that has 60 s left: theirs is never good",
        )
    return ok("lifetime", f"A token is good for {ends - begins:.0f} s.")


def _name(agent_name: str) -> str:
    return f"`{agent_name}`" if agent_name else "without a name (AGENT_DISPATCH=automatic)"
