"""Is it LiveKit at LIVEKIT_URL, does it know our key, and do our clocks agree?"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from token_server.cli.asking import HttpResult, Way, ask, bearer
from token_server.cli.doctor import steps
from token_server.cli.doctor.checks import Check, Trouble, ok, proxy_trouble, skipped
from token_server.cli.doctor.steps import Again, Setting, Start
from token_server.cli.silence import Silence, cure_of
from token_server.livekit.admin_tokens import admin_token
from token_server.settings import Settings

# Seconds. LiveKit allows a token's times to be off by a minute (livekit-behaviour 14); half of that
# is left for the token server's own clock.
CLOCKS_MAY_DIFFER = 30.0
_METHOD = "/twirp/livekit.RoomService/ListRooms"
_UNAUTHORIZED = 401
_REASON = re.compile(
    r"invalid token: \S*, error: (?P<old>.+)|invalid authorization token: (?P<new>.+)", re.DOTALL
)
# Of a token that is not good yet, or not any more: golang-jwt's words (1.13.0 on), go-jose's.
_OF_TIME = ("not valid yet", "expired", "used before issued", "issued in the future")
# Twirp's statuses of what may pass.
_MAY_PASS = {408, 500, 503}
_TOO_MANY = 429
_BOTH = (Start.WEB, Start.WORKER)
_SET_URL = (Setting("LIVEKIT_URL", steps.LIVEKIT_URL), *_BOTH)
_PAIR = (
    Setting("LIVEKIT_API_KEY", steps.API_KEY),
    Setting("LIVEKIT_API_SECRET", steps.API_SECRET),
)
QUOTA = Trouble(
    "livekit-quota",
    "Set LIVEKIT_REQUESTS_PER_MINUTE on the token server to less than the project's quota, with"
    " room for all else that asks LiveKit with this project: the token server then spreads its own"
    " requests. LiveKit counts anew in a minute.",
    (Setting("LIVEKIT_REQUESTS_PER_MINUTE", steps.QUOTA), Start.WEB, "sleep 60", Again()),
)


def list_rooms(settings: Settings) -> HttpResult:
    """Ask LiveKit for a room that nobody has, with our key."""
    key = settings.livekit_api_key, settings.livekit_api_secret
    # By our own clock, on purpose: LiveKit then says if it is too far off.
    token = admin_token(*key, datetime.now(UTC), {"roomList": True})
    url = http_url(settings.livekit_url) + _METHOD
    names = {"names": ["token-server-doctor"]}
    return ask("POST", url, bearer(token), names, Way(proxy=settings.livekit_proxy))


def check_url(livekit_url: str, answer: HttpResult) -> Check:
    """Say whether LiveKit answers there."""
    host = urlsplit(livekit_url).netloc
    if answer.bad_proxy:
        return proxy_trouble(answer.bad_proxy, host, "this command").wrong(
            "LiveKit", f"The proxy of {answer.bad_proxy} does not lead there.", answer.in_words
        )
    if answer.silence:
        cure = cure_of(answer.why, livekit_url, "LIVEKIT_URL") or (
            f"Start LiveKit at {host}, if it should be there; else set LIVEKIT_URL to where it is:"
            f" `curl {http_url(livekit_url)}` answers OK when it is right."
        )
        todo = (steps.TRUST, *_BOTH) if answer.why is Silence.CERTIFICATE else _SET_URL
        return Trouble("livekit-unreachable", cure, todo).wrong(
            "LiveKit",
            f"LiveKit cannot be reached at {livekit_url} (LIVEKIT_URL): without it there are"
            " neither rooms nor jobs.",
            answer.silence,
        )
    if (answer.is_ok and _is_list(answer)) or refusal_of(answer):
        seconds = f"{answer.seconds * 1000:.0f} ms"
        return ok("LiveKit", f"LiveKit answers at {livekit_url}.", f"after {seconds}")
    if answer.status == _TOO_MANY:
        return QUOTA.unknown("LiveKit", "LiveKit's quota of requests is used up.", answer.in_words)
    if "code" in answer.content and answer.status in _MAY_PASS:
        return Trouble(
            "livekit-failing",
            f"Run this again, since such an error may pass; if it stays, LiveKit's log on {host}"
            " has it.",
            (Again(),),
        ).unknown("LiveKit", "LiveKit answers with an error of its own.", answer.in_words)
    return Trouble(
        "not-livekit",
        "Set LIVEKIT_URL to LiveKit itself: wss://PROJECT.livekit.cloud, or ws://HOST:7880, not the"
        " token server's or the page's address.",
        _SET_URL,
    ).wrong(
        "LiveKit",
        f"What answers at {livekit_url} (LIVEKIT_URL) is not LiveKit: it does not know LiveKit's"
        " calls.",
        answer.in_words,
    )


def check_key(answer: HttpResult) -> Check:
    """Say whether LiveKit takes our key and secret."""
    match refusal_of(answer):
        case "":
            return ok("key", "LiveKit accepts LIVEKIT_API_KEY and LIVEKIT_API_SECRET.")
        case "key":
            return Trouble(
                "key-unknown",
                "Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to a pair of this server or project"
                " (Cloud: project settings, API keys; self-hosted: `keys` in its configuration),"
                " and start web and worker, which use the same pair.",
                (*_PAIR, *_BOTH),
            ).wrong(
                "key",
                "LiveKit does not know LIVEKIT_API_KEY: nothing that is signed with it is taken.",
                "HTTP 401: invalid API key",
            )
        case "secret":
            return Trouble(
                "secret-wrong",
                "Set LIVEKIT_API_SECRET to the secret that belongs to this LIVEKIT_API_KEY, and"
                " start web and worker again, which sign with it.",
                (Setting("LIVEKIT_API_SECRET", steps.API_SECRET), *_BOTH),
            ).wrong(
                "key",
                "LiveKit knows LIVEKIT_API_KEY, and LIVEKIT_API_SECRET is not its secret.",
                "HTTP 401: the signature is invalid",
            )
        case "clock":
            return skipped("key", "Cannot be told while the clocks differ.")
    return Trouble(
        "key-or-secret",
        "Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to a pair of this server or project, and start"
        " web and worker, which use the same pair.",
        (*_PAIR, *_BOTH),
    ).wrong("key", "LiveKit refuses LIVEKIT_API_KEY with LIVEKIT_API_SECRET.", answer.in_words)


def check_clock(answer: HttpResult) -> Check:
    """Compare LiveKit's Date header with our clock."""
    ahead = clock_ahead(answer)
    if ahead is None:
        return skipped("clock", "LiveKit's answer has no Date header.")
    if abs(ahead) <= CLOCKS_MAY_DIFFER and refusal_of(answer) != "clock":
        return ok("clock", "Our clock and LiveKit's agree.", f"within {max(abs(ahead), 1):.0f} s")
    which = "behind" if ahead > 0 else "ahead of"
    return Trouble(
        "clock",
        "Let this machine's clock be set by NTP, or LiveKit's if it is that one which is wrong.",
        (steps.SET_CLOCK,),
    ).wrong(
        "clock",
        f"Our clock is {abs(ahead):.0f} s {which} LiveKit's: tokens, webhooks and logins are"
        " refused when clocks differ by more than a minute.",
        "LiveKit's Date header",
    )


def clock_ahead(answer: HttpResult) -> float | None:
    """Return by how many seconds LiveKit's clock is ahead of ours; right within one."""
    try:
        theirs = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None
    # The header is cut to whole seconds: what it names lasts until the next.
    earliest = theirs - (answer.asked_at + answer.seconds)
    latest = theirs + 1 - answer.asked_at
    return 0.0 if earliest <= 0 <= latest else (earliest if earliest > 0 else latest)


def _is_list(answer: HttpResult) -> bool:
    return answer.headers.get("content-type") == "application/json" and answer.content.keys() <= {
        "rooms"
    }


def refusal_of(answer: HttpResult) -> str:
    """Say what LiveKit refuses: "key", "secret", "clock", "field", "" (nothing) or "either".

    Source:
        pkg/service/auth.go, plain text: "invalid API key: …" and "invalid token: …, error: …" up to
        1.13.5; "invalid API key" and "invalid authorization token: …" from 1.13.6 on
        (livekit-behaviour 81)
    """
    if answer.content.get("code") in {"unauthenticated", "permission_denied"}:
        return "either"
    said = answer.unverified_body.decode(errors="replace") * (answer.status == _UNAUTHORIZED)
    if said.startswith("invalid API key"):
        return "key"
    if reason := _REASON.match(said):
        return _meaning(reason["old"] or reason["new"])
    return "either" if said.startswith("invalid authorization token") else ""


def _meaning(reason: str) -> str:
    """Tell what is wrong with a token, in the words of go-jose, golang-jwt or protojson."""
    if any(words in reason for words in _OF_TIME):
        return "clock"
    return "field" if "unknown field" in reason else "secret"


def http_url(livekit_url: str) -> str:
    """Return the address at which LiveKit answers HTTP."""
    return livekit_url.replace("ws", "http", 1) if livekit_url[:2] == "ws" else livekit_url
