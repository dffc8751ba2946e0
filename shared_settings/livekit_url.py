"""LIVEKIT_URL, and what a host in a URL can be. No I/O."""

from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator


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
    """Return a LiveKit URL in its plainest spelling; ValueError says what is wrong with it."""
    parts = split_url(value)
    if parts is None or parts.scheme not in {"ws", "wss", "http", "https"}:
        raise ValueError("must look like wss://HOST or ws://HOST:PORT")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be scheme, host and port only")
    return f"{parts.scheme}://{parts.netloc}"


LiveKitUrl = Annotated[str, AfterValidator(_check_livekit_url)]
