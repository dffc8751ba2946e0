"""Is a good token refused because its room has ended (livekit-server's room.auto_create: false)?"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from token_server.cli.asking import HttpResult, Way, ask, bearer
from token_server.cli.doctor.checks import Check, Trouble, ok, skipped
from token_server.cli.doctor.issued_token import IssuedToken
from token_server.cli.doctor.livekit import http_url
from token_server.cli.doctor.steps import Setting, Start
from token_server.livekit.signatures import sign
from token_server.settings import Settings

_NAME = "ended rooms"
_LIFETIME = 120  # seconds; the clocks may differ
# Hidden, so that it is neither a human nor an agent to anybody.
_GRANTS = {"roomJoin": True, "hidden": True, "canPublish": False, "canSubscribe": False}
_NO_ROOM = b"requested room does not exist"


@dataclass(frozen=True, kw_only=True)
class RoomTimeouts:
    """After how many seconds LiveKit ends a room: nobody came, or the last human has left."""

    empty: int
    departure: int


def unseen_token(settings: Settings, room_name: str) -> str:
    """Sign a token with which nobody sees who joins."""
    claims = {
        "iss": settings.livekit_api_key,
        "sub": f"doctor-{secrets.token_hex(6)}",
        "exp": int(time.time()) + _LIFETIME,
        "video": _GRANTS | {"room": room_name},
    }
    return sign(claims, settings.livekit_api_secret)


def ask_about_missing_room(settings: Settings) -> HttpResult:
    """Ask LiveKit whether a join of a room that never was is good; it makes none for that.

    Source:
        pkg/service/rtcservice.go (v0Validate), pkg/service/roomallocator.go (ValidateCreateRoom),
        1.9.11 to 1.13.11 (livekit-behaviour 8)
    """
    token = unseen_token(settings, f"doctor-{secrets.token_hex(6)}")
    url = f"{http_url(settings.livekit_url)}/rtc/validate"
    return ask("GET", url, bearer(token), way=Way(proxy=settings.livekit_proxy))


def has_to_be_made(answer: HttpResult) -> bool:
    """Whether LiveKit refuses who joins a room that nobody has made."""
    return answer.status == HTTPStatus.NOT_FOUND and _NO_ROOM in answer.unverified_body


def check_ended_rooms(
    token: IssuedToken, answer: HttpResult, timeouts: RoomTimeouts | None
) -> Check:
    """Say whether a token is good to its end, also after its room's.

    Args:
        token: As it was issued.
        answer: What LiveKit says of a room that never was.
        timeouts: Those of the token's room; None if LiveKit did not tell, or was not asked.
    """
    if answer.is_ok:
        return ok(_NAME, "Who joins a room that has ended makes it anew.")
    if not has_to_be_made(answer) or timeouts is None:
        return skipped(_NAME, "LiveKit does not tell what becomes of who joins a missing room.")
    seconds = int(token.claims.get("exp", 0)) - int(token.claims.get("nbf", 0))
    evidence = (
        f"livekit-server has room.auto_create: false; a token is good for {seconds} s",
        f"a room that nobody came to ends after {timeouts.empty} s (ROOM_EMPTY_TIMEOUT_SECONDS)",
        f"one that all have left after {timeouts.departure} s (ROOM_DEPARTURE_TIMEOUT_SECONDS)",
    )
    if short := _too_short(timeouts, seconds):
        return Trouble(
            "room-ends-first",
            f"Set {' and '.join(f'{one.name}={one.value}' for one in short)} on the token server,"
            " and start it again: rooms then last as long as their tokens. Or set"
            " `room.auto_create: true`, the default, in livekit-server's configuration"
            " (livekit.yaml).",
            (*short, Start.WEB),
        ).wrong(
            _NAME, "LiveKit refuses a good token (404) when its room has ended before.", *evidence
        )
    return ok(_NAME, "LiveKit makes no room anew, and rooms outlast their tokens.", *evidence)


def _too_short(timeouts: RoomTimeouts, seconds: int) -> Sequence[Setting]:
    """Return what is to be set for a room to last as long as its token."""
    lasting = {
        "ROOM_EMPTY_TIMEOUT_SECONDS": timeouts.empty,
        "ROOM_DEPARTURE_TIMEOUT_SECONDS": timeouts.departure,
    }
    return [Setting(name, str(seconds)) for name, lasts in lasting.items() if lasts < seconds]
