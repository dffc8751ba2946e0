"""Which HTTP proxy leads to LiveKit. No I/O."""

from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def is_loopback(address: str) -> bool:
    """Whether this is an address, and of this machine itself."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def livekit_proxy(livekit_url: str, proxies: Mapping[str, str]) -> str:
    """Return the URL of the proxy that leads to LiveKit; "" for none. Loopback never needs one.

    Args:
        livekit_url: Scheme, host and port.
        proxies: The proxy for "http" (ws:// too) and for "https" (wss:// too), and which hosts need
            none: "no", separated by commas: `*`, an address, a network (10.0.0.0/8), or a name
            with all below it (example.com, .example.com).
    """
    livekit = urlsplit(livekit_url)
    host = livekit.hostname or ""
    direct = (entry.strip().lower() for entry in proxies["no"].split(","))
    if host in LOOPBACK or any(_covers(entry, host) for entry in direct):
        return ""
    return proxies["https" if livekit.scheme in {"wss", "https"} else "http"]


def _covers(entry: str, host: str) -> bool:
    """Whether an entry of NO_PROXY means this host."""
    with suppress(ValueError):
        return ip_address(host) in ip_network(entry, strict=False)
    name = entry.removeprefix("*").removeprefix(".")
    return entry == "*" or (bool(name) and (host == name or host.endswith(f".{name}")))


def is_http_proxy(url: str) -> bool:
    """Whether this is a proxy that we can use: neither over TLS nor SOCKS."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        has_host = bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:
        return False
    is_plain = not (parts.path.strip("/") or parts.query or parts.fragment)
    return parts.scheme == "http" and has_host and is_plain and not set(url) & set(" \t\\")
