"""How the text of a setting is read, where it is more than a word or a number. No I/O."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, TypeAdapter, ValidationError

from shared_settings.livekit_url import split_url
from shared_settings.token_server_url import check_http_url
from token_server.bearer_keys import check_keys
from token_server.proxies import LOOPBACK

# redis-py's options of these names, and what we let them be.
_REDIS_OPTIONS = {"db": r"[0-9]+"}
_REDIS_TLS_OPTIONS = {"ssl_cert_reqs": "none|required", "ssl_ca_certs": ".+"}
_REDIS_URL = (
    "must look like redis://HOST:PORT/DB, rediss://USER:PASSWORD@HOST:PORT (TLS; options"
    " ssl_cert_reqs and ssl_ca_certs) or unix:///PATH?db=DB, user and password percent-encoded"
)
_SENTINELS = (
    "must name one Redis server, not sentinels: nobody here asks those; set it to an address that"
    " leads to the current master, such as a DNS name or a proxy that follows it"
)

_ANY = "//*."
_LABEL = "[a-z0-9_-]+"
# Of `*.com` anybody can have a part. Which hosts of two labels are theirs, an operator knows.
_OWN_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.[a-z][a-z0-9-]*")

_LONGEST_SECONDS = 7 * 24 * 3600
_RATE_LIMIT = re.compile(r"[1-9]\d{0,8}/(second|minute|hour|day)")


def _check_origins(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the origins; ValueError if a browser would never send one, or anybody's page could."""
    if not all(origin == "*" or _is_good_origin(origin) for origin in value):
        raise ValueError(
            "must each be * or look like https://HOST, http://HOST:PORT or https://*.HOST, where *"
            " is one label of the host, the first, and HOST has two or more"
        )
    return value


def _is_good_origin(origin: str) -> bool:
    fixed = origin.replace(_ANY, "//", 1)
    parts = split_url(fixed)
    if parts is None or f"{parts.scheme}://{parts.netloc}" != fixed:
        return False
    return fixed == origin or bool(_OWN_HOST.fullmatch(parts.hostname or ""))


def origin_matcher(origin: str) -> str | re.Pattern[str]:
    """Return what an origin is to be compared with, by flask-cors too: itself, "*" or a pattern.

    flask-cors by itself takes a text with `*` or `[` in it for a regular expression:
    https://*.example.com would let https://xexample.com in, and not https://app.example.com.
    """
    if origin == "*" or not set(origin) & set("*["):
        return origin
    text = re.escape(origin).replace(re.escape(_ANY), rf"//{_LABEL}\.")
    return re.compile(rf"{text}\Z", re.IGNORECASE | re.ASCII)


def _check_redis_url(value: str) -> str:
    """Return a Redis URL; ValueError says what it must look like, and never what it is."""
    scheme = value.partition("://")[0]  # redis-py wants it in lower case, where urlsplit takes any
    if "sentinel" in scheme:
        raise ValueError(_SENTINELS)
    try:
        parts = urlsplit(value)
        is_host = bool((parts.hostname or "").encode("idna")) and parts.port != 0
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        raise ValueError(_REDIS_URL) from None
    if scheme == "unix":
        is_good = parts.hostname is None and len(parts.path) > 1
    else:
        is_good = scheme in {"redis", "rediss"} and is_host
        is_good = is_good and bool(re.fullmatch(r"/?[0-9]*", parts.path))
    if not is_good or set(value) & set("# \t\\") or not _are_good(options, scheme):
        raise ValueError(_REDIS_URL)
    return value


def _are_good(options: Mapping[str, str], scheme: str) -> bool:
    """Whether each option is one that leaves our timeouts alone, with a value it can have."""
    rules = _REDIS_OPTIONS | (_REDIS_TLS_OPTIONS if scheme == "rediss" else {})
    return all(
        name in rules and re.fullmatch(rules[name], option) for name, option in options.items()
    )


def unverified(redis_url: str) -> str:
    """Return a Redis URL with which TLS verifies no certificate, whatever its options say."""
    address, _, options = redis_url.partition("?")
    if not address.startswith("rediss:"):
        return redis_url
    # Of an option that is there twice, redis-py takes the first.
    return f"{address}?ssl_cert_reqs=none" + (f"&{options}" if options else "")


def is_open_http(url: str) -> bool:
    """Whether a URL leads over plain http to another machine, so that others can answer for it."""
    parts = split_url(url)
    return parts is not None and parts.scheme == "http" and parts.hostname not in LOOPBACK


def is_on(value: str) -> bool:
    """Whether a switch is on, for rules of several variables; a malformed one has its own line."""
    try:
        return TypeAdapter(bool).validate_python(value)
    except ValidationError:
        return True


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


def _check_header_name(value: str) -> str:
    # gunicorn drops headers with other characters in their names.
    if not re.fullmatch(r"[A-Za-z0-9-]{0,64}", value):
        raise ValueError("must be the name of a header, like X-End-User")
    return value


def _to_key_pairs(value: str) -> tuple[tuple[str, str], ...]:
    pairs = [pair.partition(":") for pair in to_names(value)]
    if not all(key and secret for key, _, secret in pairs):
        raise ValueError("must look like KEY:SECRET, or like KEY:SECRET, KEY:SECRET")
    return tuple((key.strip(), secret.strip()) for key, _, secret in pairs)


def _to_agent_rules(value: str) -> tuple[tuple[str, str], ...]:
    rules = [rule.rpartition("=") for rule in to_names(value)]
    if not all(pattern.strip() and name.strip() for pattern, _, name in rules):
        raise ValueError("must look like call-*=concierge, or like call-*=concierge, support-*=bob")
    return tuple((pattern.strip(), name.strip()) for pattern, _, name in rules)


AgentRules = Annotated[tuple[tuple[str, str], ...], BeforeValidator(_to_agent_rules)]
HeaderName = Annotated[str, AfterValidator(_check_header_name)]
Names = Annotated[tuple[str, ...], BeforeValidator(to_names)]
KeyPairs = Annotated[tuple[tuple[str, str], ...], BeforeValidator(_to_key_pairs)]
Keys = Annotated[Names, AfterValidator(check_keys)]
Origins = Annotated[Names, AfterValidator(_check_origins)]
RateLimit = Annotated[Names, AfterValidator(_check_rate_limit)]
RedisUrl = Annotated[str, AfterValidator(_check_redis_url)]
Seconds = Annotated[timedelta, BeforeValidator(_to_seconds)]
SecondsOrOff = Annotated[timedelta, BeforeValidator(partial(_to_seconds, least=0))]
Url = Annotated[str, AfterValidator(partial(check_http_url, "must look like https://HOST/PATH"))]
