"""Who may see what is for the operator alone: /metrics. No I/O."""

from collections.abc import Mapping, Sequence

from token_server.auth.callers import CallerKeys
from token_server.errors import PermissionDeniedError, UnauthenticatedError
from token_server.proxies import is_loopback

# What a proxy adds: the request is not from this machine then, whoever delivers it.
_PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")


class Operators:
    """Checks a request for one of the keys in OPERATOR_KEY.

    Without any key only this machine may ask, and only where DEMO=1 (`make dev`).
    """

    def __init__(self, keys: Sequence[str], *, is_demo: bool) -> None:
        self._keys = CallerKeys(keys) if keys else None
        self._is_demo = is_demo

    def check(self, unverified_headers: Mapping[str, str], remote_address: str | None) -> None:
        """Let the operator pass, and nobody else.

        Raises:
            PermissionDeniedError: No key is set, so nobody may.
            UnauthenticatedError: The Authorization header holds none of the keys.
        """
        if self._keys is None:
            if not self._is_demo or not _is_here(unverified_headers, remote_address):
                raise PermissionDeniedError("OPERATOR_KEY must be set on the server to see this")
            return
        if not self._keys.holder_of(unverified_headers.get("Authorization", "")):
            raise UnauthenticatedError("Authorization must be 'Bearer' and a key of OPERATOR_KEY")


def _is_here(headers: Mapping[str, str], remote_address: str | None) -> bool:
    is_direct = not any(name in headers for name in _PROXY_HEADERS)
    return is_direct and is_loopback(remote_address or "")
