"""LIVEKIT_URL and LIVEKIT_PUBLIC_URL, and what a host in a URL can be. No I/O."""

import re
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator

# What RFC 3986 allows in a path; no empty part, and none that clients would take away (`.`, `..`).
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*/?")


def split_url(url: str) -> SplitResult | None:
    """Take a URL apart; None if its host cannot be one, or there is more than host and port."""
    try:
        parts = urlsplit(url)
        is_good = bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:
        return None
    is_good = is_good and not set(parts.netloc) & set("@*? \t\\")
    return parts if is_good else None


def _check_livekit_url(value: str) -> str:
    """Return a LiveKit URL in its plainest spelling; ValueError says what is wrong with it.

    A path is where a proxy has put LiveKit. LiveKit's SDKs append what they want: /twirp/… to call
    it (livekit-api 1.2.2, twirp_client.py), /agent to register (livekit-agents 1.8.9, worker.py),
    /rtc to join (livekit-client 2.23.0, src/api/utils.ts). A slash at the end is taken away, since
    the SDKs in Rust would make it two (rust-sdks, livekit-api/src/signal_client/mod.rs).
    """
    parts = split_url(value)
    if parts is None or parts.scheme not in {"ws", "wss", "http", "https"}:
        raise ValueError("must look like wss://HOST or ws://HOST:PORT, with a path or without")
    if not _PATH.fullmatch(parts.path) or parts.query or parts.fragment:
        raise ValueError("must be scheme, host, port and a plain path only")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def websocket_url(livekit_url: str) -> str:
    """Return the same address for clients, who want ws:// or wss://."""
    return f"ws{livekit_url.removeprefix('http').removeprefix('ws')}"


LiveKitUrl = Annotated[str, AfterValidator(_check_livekit_url)]
