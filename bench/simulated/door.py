"""Who may ask the simulated LiveKit what, and how often. No I/O."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus

import jwt

from bench.simulated.replies import Refusal
from token_server.livekit.signatures import verify

_MINUTE = 60.0
_LEEWAY = timedelta(minutes=1)
_UNAUTHENTICATED = "unauthenticated"


class Door:
    """Lets in whose token is signed with the secret, and no more than the quota.

    Args:
        api_key: Whom a token has to name.
        api_secret: Signs tokens.
        clock: Seconds that never go back.

    Attributes:
        quota: Requests a minute, 0 for as many as come (livekit-behaviour 100).
    """

    def __init__(
        self, api_key: str, api_secret: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api_key, self._api_secret, self._clock = api_key, api_secret, clock
        self._asked: deque[float] = deque()
        self.quota = 0

    def refusal(self, authorization: str, grant: str, room_name: str) -> Refusal | None:
        """Return why a request is not answered; None if it is.

        Args:
            authorization: The header as it came.
            grant: What its token has to allow.
            room_name: Where; a room's admin is admin of that room alone.
        """
        if self._is_beyond_quota():
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "resource_exhausted", "too many requests")
        token = authorization.removeprefix("Bearer ")
        try:
            claims = verify(
                token,
                self._api_secret,
                issuer=self._api_key,
                required=("exp", "iss"),
                leeway=_LEEWAY,
            )
        except jwt.InvalidIssuerError:
            return Refusal(HTTPStatus.UNAUTHORIZED, "", "invalid API key: another one")
        except jwt.PyJWTError as error:
            # As livekit-server 1.13.5 has it (livekit-behaviour 81).
            return Refusal(HTTPStatus.UNAUTHORIZED, "", f"invalid token: {token}, error: {error}")
        video = claims.get("video", {})
        if _allows(video, grant, room_name):
            return None
        return Refusal(HTTPStatus.UNAUTHORIZED, _UNAUTHENTICATED, "permissions denied")

    def _is_beyond_quota(self) -> bool:
        if not self.quota:
            return False
        now = self._clock()
        while self._asked and self._asked[0] < now - _MINUTE:
            self._asked.popleft()
        if len(self._asked) >= self.quota:
            return True
        self._asked.append(now)
        return False


def _allows(video: Mapping[str, object], grant: str, room_name: str) -> bool:
    return bool(video.get(grant)) and (grant != "roomAdmin" or video.get("room") == room_name)
