"""The tokens that our own calls to LiveKit carry. No I/O."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from threading import Lock

from token_server.signatures import sign

# LiveKit's grants for one call, as they stand in a token: {"roomAdmin": True, "room": …}.
Grants = Mapping[str, bool | str]

_TTL = timedelta(minutes=10)
_KEPT = 1024


def admin_token(api_key: str, api_secret: str, grants: Grants) -> str:
    """Sign a JWT with which we call LiveKit; it is good for ten minutes.

    Returns:
        A signed JWT (HS256); claims: iss, nbf, exp (Unix seconds), video.

    Source:
        https://docs.livekit.io/home/get-started/authentication/
    """
    now = int(time.time())
    claims = {
        "iss": api_key,
        "nbf": now,
        "exp": now + int(_TTL.total_seconds()),
        "video": dict(grants),
    }
    return sign(claims, api_secret)


class AdminTokens:
    """Tokens that are signed once and used for half their life. Thread-safe."""

    def __init__(
        self,
        sign: Callable[[Grants], str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sign, self._monotonic = sign, monotonic
        self._signed: dict[tuple[tuple[str, bool | str], ...], tuple[float, str]] = {}
        self._lock = Lock()

    def of(self, grants: Grants) -> str:
        """Return a token with these grants that is valid for minutes to come."""
        key = tuple(grants.items())
        expiry, token = self._signed.get(key, (0.0, ""))
        if self._monotonic() < expiry:
            return token
        token = self._sign(grants)
        with self._lock:
            if len(self._signed) >= _KEPT:
                self._signed.pop(next(iter(self._signed)))
            self._signed[key] = self._monotonic() + _TTL.total_seconds() / 2, token
        return token
