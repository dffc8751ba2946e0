"""The bearer keys of callers and operators, as settings have them. No I/O."""

import re
from collections.abc import Iterable

# A key may be kept as its hash, so that the settings do not give it away.
HASHED = "sha256:"
_HASHED_KEY = re.compile(rf"{HASHED}[0-9a-f]{{64}}")


def plain_key(keys: Iterable[str]) -> str:
    """Return the first key that is kept as it is; "" if there is none but hashes."""
    return next((key for key in keys if not key.startswith(HASHED)), "")


def check_keys(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys; ValueError if a hashed one cannot be a hash."""
    if any(key.startswith(HASHED) and not _HASHED_KEY.fullmatch(key) for key in value):
        raise ValueError(
            "must have a hashed key as sha256: and 64 hexadecimal digits, in lower case"
        )
    return value
