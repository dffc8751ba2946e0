"""Who may ask for a token. No I/O."""

import hmac
from collections.abc import Sequence

from token_server.errors import UnauthenticatedError
from token_server.settings import TokenAuth


class Callers:
    """Checks a request's Authorization header against TOKEN_AUTH."""

    def __init__(self, token_auth: TokenAuth, keys: Sequence[str] = ()) -> None:
        self._needs_key = token_auth is TokenAuth.KEY
        self._keys = [key.encode() for key in keys]

    def check(self, unverified_authorization: str) -> None:
        """Let the caller pass, or not.

        Raises:
            UnauthenticatedError: TOKEN_AUTH=key, and the header holds none of the keys.
        """
        if not self._needs_key:
            return
        scheme, _, unverified_key = unverified_authorization.partition(" ")
        given = unverified_key.strip().encode()
        # All keys are compared, and each in constant time: the answer's delay tells nothing.
        matches = [hmac.compare_digest(given, key) for key in self._keys]
        if scheme.lower() != "bearer" or not any(matches):
            raise UnauthenticatedError("Authorization must be 'Bearer' and one of the caller keys")
