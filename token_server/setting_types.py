"""How the text of a setting is read, where it is more than a word or a number. No I/O."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator

# redis-py's options of these names, and what we let them be.
_REDIS_OPTIONS = {"db": r"[0-9]+"}
_REDIS_TLS_OPTIONS = {"ssl_cert_reqs": "none|required", "ssl_ca_certs": ".+"}
_REDIS_URL = (
    "must look like redis://HOST:PORT/DB, rediss://:PASSWORD@HOST:PORT (TLS; options ssl_cert_reqs"
    " and ssl_ca_certs) or unix:///PATH?db=DB, a password percent-encoded"
)

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_LONGEST_SECONDS = 7 * 24 * 3600
_RATE_LIMIT = re.compile(r"[1-9]\d{0,8}/(second|minute|hour|day)")
# A key may be kept as its hash, so that the settings do not give it away.
HASHED = "sha256:"
_HASHED_KEY = re.compile(rf"{HASHED}[0-9a-f]{{64}}")


def check_livekit_url(value: str) -> str:
    """Return a LiveKit URL in its plainest spelling; ValueError says what is wrong with it."""
    parts = _split(value)
    if parts is None or parts.scheme not in {"ws", "wss", "http", "https"}:
        raise ValueError("must look like wss://HOST or ws://HOST:PORT")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be scheme, host and port only")
    return f"{parts.scheme}://{parts.netloc}"


def livekit_proxy(livekit_url: str, proxies: Mapping[str, str]) -> str:
    """Return the URL of the proxy that leads to LiveKit; "" for none. Loopback never needs one.

    Args:
        livekit_url: As check_livekit_url returns it.
        proxies: The proxy for "http" (ws:// too) and for "https" (wss:// too), and which hosts need
            none: "no", separated by commas: `*`, an address, a network (10.0.0.0/8), or a name
            with all below it (example.com, .example.com).
    """
    livekit = urlsplit(livekit_url)
    host = livekit.hostname or ""
    direct = (entry.strip().lower() for entry in proxies["no"].split(","))
    if host in _LOOPBACK or any(_covers(entry, host) for entry in direct):
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


def check_origins(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the origins; ValueError if a browser would never send one of them."""
    # flask-cors takes "*" inside an origin for a regular expression: https://*.example.com would
    # let https://xexample.com in, and not https://app.example.com.
    for origin in value:
        parts = _split(origin)
        if origin != "*" and (parts is None or f"{parts.scheme}://{parts.netloc}" != origin):
            raise ValueError("each must be * or look like https://HOST or http://HOST:PORT")
    return value


def check_server_url(value: str) -> str:
    """Return the URL of a token server; ValueError says what is wrong with it."""
    parts = _split(value)
    if parts is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ValueError("must look like https://HOST, with a path where a proxy gives it one")
    return value


def check_redis_url(value: str) -> str:
    """Return a Redis URL; ValueError says what it must look like, and never what it is."""
    try:
        parts = urlsplit(value)
        is_host = bool((parts.hostname or "").encode("idna")) and parts.port != 0
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        raise ValueError(_REDIS_URL) from None
    if parts.scheme == "unix":
        is_good = parts.hostname is None and len(parts.path) > 1
    else:
        is_good = parts.scheme in {"redis", "rediss"} and is_host
        is_good = is_good and bool(re.fullmatch(r"/?[0-9]*", parts.path))
    if not is_good or set(value) & set("# \t\\") or not _are_good(options, parts.scheme):
        raise ValueError(_REDIS_URL)
    return value


def _are_good(options: Mapping[str, str], scheme: str) -> bool:
    """Whether each option is one that leaves our timeouts alone, with a value it can have."""
    rules = _REDIS_OPTIONS | (_REDIS_TLS_OPTIONS if scheme == "rediss" else {})
    return all(
        name in rules and re.fullmatch(rules[name], option) for name, option in options.items()
    )


def check_issuer_url(value: str) -> str:
    """Return the URL of an issuer or of its keys; ValueError if anybody could stand between."""
    parts = _split(value)
    if parts is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ValueError("must look like https://HOST/PATH")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("must be https: whoever can answer in the issuer's place can log in")
    return value


def _split(url: str) -> SplitResult | None:
    """Take a URL apart; None if its host cannot be one, or there is more than host and port."""
    try:
        parts = urlsplit(url)
        is_good = bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:
        return None
    is_good = is_good and not set(parts.netloc) & set("@*? \t\\")
    return parts if is_good else None


def matches_any(patterns: Iterable[str], name: str) -> bool:
    """Tell whether one of these patterns (`*`, `?`, `[a-z]`) covers a name."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def plain_key(keys: Iterable[str]) -> str:
    """Return the first key that is kept as it is; "" if there is none but hashes."""
    return next((key for key in keys if not key.startswith(HASHED)), "")


def to_names(value: str) -> tuple[str, ...]:
    """Split a list at its commas; empty entries do not count."""
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _to_seconds(value: str, least: int = 1) -> timedelta:
    if not (value.isascii() and value.isdigit() and least <= int(value) <= _LONGEST_SECONDS):
        raise ValueError(f"must be a whole number of seconds from {least} to {_LONGEST_SECONDS}")
    return timedelta(seconds=int(value))


def _check_rate_limit(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_RATE_LIMIT.fullmatch(limit) for limit in value):
        raise ValueError("must look like 30/minute, or like 30/minute, 300/hour")
    return value


def _check_keys(value: tuple[str, ...]) -> tuple[str, ...]:
    if any(key.startswith(HASHED) and not _HASHED_KEY.fullmatch(key) for key in value):
        raise ValueError("a hashed key is sha256: and 64 hexadecimal digits, in lower case")
    return value


def _to_key_pairs(value: str) -> tuple[tuple[str, str], ...]:
    pairs = [pair.partition(":") for pair in to_names(value)]
    if not all(key and secret for key, _, secret in pairs):
        raise ValueError("must look like KEY:SECRET, or like KEY:SECRET, KEY:SECRET")
    return tuple((key.strip(), secret.strip()) for key, _, secret in pairs)


Names = Annotated[tuple[str, ...], BeforeValidator(to_names)]
KeyPairs = Annotated[tuple[tuple[str, str], ...], BeforeValidator(_to_key_pairs)]
Keys = Annotated[Names, AfterValidator(_check_keys)]
Origins = Annotated[Names, AfterValidator(check_origins)]
RateLimit = Annotated[Names, AfterValidator(_check_rate_limit)]
RedisUrl = Annotated[str, AfterValidator(check_redis_url)]
Seconds = Annotated[timedelta, BeforeValidator(_to_seconds)]
SecondsOrOff = Annotated[timedelta, BeforeValidator(partial(_to_seconds, least=0))]
Url = Annotated[str, AfterValidator(check_issuer_url)]
