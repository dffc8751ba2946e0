"""Which version of livekit-server is it, and is it one that this works with?

No call of LiveKit's API tells. The first message to who joins does: so somebody joins whom nobody
sees, reads it, and is gone.
"""

import asyncio
import re

import aiohttp
from google.protobuf.message import DecodeError
from livekit.protocol import models, rtc

from shared_settings.livekit_url import websocket_url
from token_server.cli.asking import Way, ask, bearer
from token_server.cli.doctor.checks import TOO_OLD, Check, ok, skipped
from token_server.cli.doctor.ended_rooms import unseen_token
from token_server.cli.doctor.issued_token import IssuedToken
from token_server.cli.doctor.livekit import http_url, refusal_of
from token_server.cli.doctor.probe_observation import WhyNot
from token_server.proxies import Proxies
from token_server.settings import Settings

OLDEST = (1, 9, 11)
_SECONDS = 1.0
_NUMBERS = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})")


def ask_version(settings: Settings, room_name: str) -> models.ServerInfo | None:
    """Join a room that is there and return what LiveKit says of itself, None if it does not."""
    token = unseen_token(settings, room_name)
    try:
        url = f"{websocket_url(settings.livekit_url)}/rtc"
        return asyncio.run(_first_words(url, token, settings.livekit_proxy))
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


def ask_why_not(token: IssuedToken, proxies: Proxies) -> WhyNot:
    """Ask where clients are sent to why nobody could join with this token."""
    url = f"{http_url(token.server_url)}/rtc/validate"
    way = Way(proxy=proxies.to(url))
    answer = ask("GET", url, bearer(token.participant_token), way=way)
    # pkg/service/rtcservice.go 1.13.5
    is_livekit = bool(refusal_of(answer)) or answer.unverified_body.strip() == b"success"
    return WhyNot(refusal_of(answer), "" if is_livekit else answer.in_words)


async def _first_words(url: str, token: str, proxy: str) -> models.ServerInfo:
    protocol = {"protocol": "9"}
    async with (
        asyncio.timeout(_SECONDS),
        aiohttp.ClientSession() as client,
        client.ws_connect(
            url, headers=bearer(token), params=protocol, proxy=proxy or None
        ) as connection,
    ):
        return rtc.SignalResponse.FromString(await connection.receive_bytes()).join.server_info
