"""CORS_ORIGINS: which origins a browser sends, and which of them an operator means. No I/O."""

import re
from collections.abc import Iterable

from shared_settings.livekit_url import split_url

Matcher = str | re.Pattern[str]
"""What an origin is compared with: "*" for all, an origin, or a pattern."""

_ANY = "//*."
_LABEL = "[a-z0-9_-]+"
# Of `*.com` anybody can have a part. Which hosts of two labels are theirs, an operator knows.
_OWN_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.[a-z][a-z0-9-]*")
_RULE = (
    "must each be * or look like https://HOST, http://HOST:PORT or https://*.HOST, where * is one"
    " label of the host, the first, and HOST has two or more"
)


def check_origins(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the origins; ValueError if a browser would never send one, or anybody's page could."""
    if not all(origin == "*" or _is_good(origin) for origin in value):
        raise ValueError(_RULE)
    return value


def _is_good(origin: str) -> bool:
    fixed = origin.replace(_ANY, "//", 1)
    parts = split_url(fixed)
    if parts is None or f"{parts.scheme}://{parts.netloc}" != fixed:
        return False
    return fixed == origin or bool(_OWN_HOST.fullmatch(parts.hostname or ""))


def matcher(origin: str) -> Matcher:
    """Return what flask-cors is to compare with.

    Left to itself it takes a text with `*` or `[` in it for a regular expression:
    https://*.example.com would let https://xexample.com in, and not https://app.example.com.
    """
    if origin == "*" or not set(origin) & set("*["):
        return origin
    text = re.escape(origin).replace(re.escape(_ANY), rf"//{_LABEL}\.")
    return re.compile(rf"{text}\Z", re.IGNORECASE | re.ASCII)


def is_among(unverified_origin: str, matchers: Iterable[Matcher]) -> bool:
    """Whether one of them means this origin."""
    return any(
        one in {"*", unverified_origin}
        if isinstance(one, str)
        else one.match(unverified_origin) is not None
        for one in matchers
    )
