"""How the text of a setting is read, where it is more than a word or a number. No I/O."""

import re
from collections.abc import Iterable
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from token_server.addresses import check_issuer_url, check_origins, check_redis_url

_LONGEST_SECONDS = 7 * 24 * 3600
_RATE_LIMIT = re.compile(r"[1-9]\d{0,8}/(second|minute|hour|day)")
# A key may be kept as its hash, so that the settings do not give it away.
HASHED = "sha256:"
_HASHED_KEY = re.compile(rf"{HASHED}[0-9a-f]{{64}}")


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
