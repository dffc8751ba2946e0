"""The tokens that our own calls to LiveKit carry. No I/O."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock

from token_server.livekit.signatures import sign

# LiveKit's grants for one call, as they stand in a token: {"roomAdmin": True, "room": …}.
Grants = Mapping[str, bool | str]

_TTL = timedelta(minutes=10)
# LiveKit's clock is known within a second at first; LiveKit itself allows a minute.
_LEEWAY = timedelta(seconds=2)
_NEVER = datetime.min.replace(tzinfo=UTC) + _LEEWAY
_KEPT = 1024


def admin_token(api_key: str, api_secret: str, now: datetime, grants: Grants) -> str:
    """Sign a JWT with which we call LiveKit; it is good for ten minutes from now.

    Returns:
        A signed JWT (HS256); claims: iss, nbf, exp (Unix seconds), video.

    Source:
        https://docs.livekit.io/home/get-started/authentication/
    """
    claims = {
        "iss": api_key,
        "nbf": int(now.timestamp()),
        "exp": int((now + _TTL).timestamp()),
        "video": dict(grants),
    }
    return sign(claims, api_secret)


class AdminTokens:
    """Tokens that are signed once and used for half their life. Thread-safe.

    Args:
        sign: Signs one, at a time.
        now: Returns LiveKit's time. When it turns out to be another than was thought, the tokens of
            another time are not used any more.
    """

    def __init__(
        self, sign: Callable[[datetime, Grants], str], now: Callable[[], datetime]
    ) -> None:
        self._sign, self._now = sign, now
        self._signed: dict[tuple[tuple[str, bool | str], ...], tuple[datetime, str]] = {}
        self._lock = Lock()

    def of(self, grants: Grants) -> str:
        """Return a token with these grants that is valid for minutes to come."""
        key = tuple(grants.items())
        now = self._now()
        signed_at, token = self._signed.get(key, (_NEVER, ""))
        if signed_at - _LEEWAY <= now < signed_at + _TTL / 2:
            return token
        token = self._sign(now, grants)
        with self._lock:
            if len(self._signed) >= _KEPT:
                self._signed.pop(next(iter(self._signed)))
            self._signed[key] = now, token
        return token
