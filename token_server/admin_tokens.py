"""The tokens that our own calls to LiveKit carry. No I/O."""

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Lock

from livekit.api import AccessToken, VideoGrants

_TTL = timedelta(minutes=10)
_KEPT = 1024


def admin_token(api_key: str, api_secret: str, grants: VideoGrants) -> str:
    """Sign a JWT with which we call LiveKit; it is good for ten minutes."""
    return AccessToken(api_key, api_secret).with_grants(grants).with_ttl(_TTL).to_jwt()


class AdminTokens:
    """Tokens that are signed once and used for half their life. Thread-safe."""

    def __init__(
        self,
        sign: Callable[[VideoGrants], str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sign, self._monotonic = sign, monotonic
        self._signed: dict[str, tuple[float, str]] = {}
        self._lock = Lock()

    def of(self, grants: VideoGrants) -> str:
        """Return a token with these grants that is valid for minutes to come."""
        key = repr(grants)
        expiry, token = self._signed.get(key, (0.0, ""))
        if self._monotonic() < expiry:
            return token
        token = self._sign(grants)
        with self._lock:
            if len(self._signed) >= _KEPT:
                self._signed.pop(next(iter(self._signed)))
            self._signed[key] = self._monotonic() + _TTL.total_seconds() / 2, token
        return token
