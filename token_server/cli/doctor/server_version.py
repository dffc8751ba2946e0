"""Which version of livekit-server is it, and is it one that this works with?

No call of LiveKit's API tells. The first message to who joins does: so somebody joins whom nobody
sees, reads it, and is gone.
"""

import asyncio
import re

import aiohttp
from google.protobuf.message import DecodeError
from livekit.protocol import models, rtc

from token_server.cli.asking import ask, bearer
from token_server.cli.doctor.checks import TOO_OLD, Check, ok, skipped
from token_server.cli.doctor.ended_rooms import unseen_token
from token_server.cli.doctor.issued_token import IssuedToken
from token_server.cli.doctor.livekit import http_url, refusal_of
from token_server.settings import Settings

OLDEST = (1, 9, 11)
_SECONDS = 1.0
_NUMBERS = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})")


def ask_version(settings: Settings, room_name: str) -> models.ServerInfo | None:
    """Join a room that is there and return what LiveKit says of itself, None if it does not."""
    token = unseen_token(settings, room_name)
    try:
        return asyncio.run(_first_words(f"{settings.server_url}/rtc", token))
    except (TimeoutError, aiohttp.ClientError, TypeError, DecodeError):
        return None


def check_version(info: models.ServerInfo | None) -> Check:
    """Compare what LiveKit says of itself with the oldest version that was tried."""
    if info is None or not info.version:
        return skipped("version", "LiveKit does not tell its version.")
    if info.edition == models.ServerInfo.Edition.Cloud:
        return ok("version", "It is LiveKit Cloud.")
    numbers = _NUMBERS.search(info.version)
    version = numbers[0] if numbers else "of another kind"
    if numbers is None or tuple(map(int, numbers.groups())) >= OLDEST:
        return ok("version", f"livekit-server is {version}.")
    oldest = ".".join(map(str, OLDEST))
    return TOO_OLD.wrong(
        "version", f"livekit-server is {version}, and the oldest that was tried is {oldest}."
    )


def refusal_of_join(token: IssuedToken) -> str:
    """Ask LiveKit what it refuses of a token with which nobody could join; "" if nothing."""
    url = f"{http_url(token.server_url)}/rtc/validate"
    return refusal_of(ask("GET", url, bearer(token.participant_token)))


async def _first_words(url: str, token: str) -> models.ServerInfo:
    async with (
        asyncio.timeout(_SECONDS),
        aiohttp.ClientSession() as client,
        client.ws_connect(url, headers=bearer(token), params={"protocol": "9"}) as connection,
    ):
        return rtc.SignalResponse.FromString(await connection.receive_bytes()).join.server_info
