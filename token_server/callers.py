"""Who may ask for a token, by TOKEN_AUTH: anybody, who has a key, or who has logged in."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace

from token_server.errors import PermissionDeniedError, UnauthenticatedError
from token_server.logins import Caller, Logins
from token_server.setting_values import HASHED
from token_server.token_request import TokenRequest


class CallerKeys:
    """Bearer keys, several so that one can be replaced without an outage.

    Each is given as it is, or as `sha256:` and the hexadecimal SHA-256 of it.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._hashes = [
            bytes.fromhex(key.removeprefix(HASHED)) if key.startswith(HASHED) else _hash(key)
            for key in keys
        ]

    def holder_of(self, unverified_authorization: str) -> Caller | None:
        """Return whose key an Authorization header shows, None if it shows none of ours."""
        given = _hash(_bearer(unverified_authorization))
        # All keys are compared, and each in constant time: the answer's delay tells nothing.
        matches = [hmac.compare_digest(given, known) for known in self._hashes]
        return Caller(name=f"key {matches.index(True)}") if any(matches) else None


class Callers:
    """Checks a request's Authorization header; with neither keys nor logins anybody may ask.

    Without logins nobody's identity is known; they may choose one, or not.
    """

    def __init__(
        self,
        *,
        keys: CallerKeys | None = None,
        logins: Logins | None = None,
        may_choose_identity: bool = True,
    ) -> None:
        self._keys, self._logins = keys, logins
        self._anybody = Caller(may_choose_identity=may_choose_identity)

    def check(self, unverified_authorization: str) -> Caller:
        """Let the caller pass, or not; return what is known of them.

        Raises:
            UnauthenticatedError: The header holds none of the keys, or no good login token.
            IssuerUnavailableError: Login tokens cannot be checked at the moment.
        """
        if not self._keys and not self._logins:
            return self._anybody
        if self._logins:
            return self._logins.read(_bearer(unverified_authorization))
        holder = self._keys.holder_of(unverified_authorization) if self._keys else None
        if holder is None:
            raise UnauthenticatedError("Authorization must be 'Bearer' and one of the caller keys")
        return replace(self._anybody, name=holder.name)


def restrict(request: TokenRequest, caller: Caller) -> TokenRequest:
    """Return the request with the caller's own identity and name in it.

    Raises:
        PermissionDeniedError: It asks for another identity or name, or for one at all where
            that is not the caller's to choose.
    """
    if request.participant_identity and not caller.may_choose_identity:
        raise PermissionDeniedError("participant_identity must be left out: you get a fresh one")
    if caller.participant_identity == caller.participant_name == "":
        return request
    own = {
        "participant_identity": caller.participant_identity,
        "participant_name": caller.participant_name,
    }
    fixed = {field: value for field, value in own.items() if value}
    for field, value in fixed.items():
        if getattr(request, field) not in {"", value}:
            raise PermissionDeniedError(f"{field} must be left out, or be the login token's")
    return request.model_copy(update=fixed)


def _bearer(unverified_authorization: str) -> str:
    """Return what follows `Bearer`, in whatever case; "" under any other scheme."""
    scheme, _, unverified_secret = unverified_authorization.partition(" ")
    return unverified_secret.strip() if scheme.lower() == "bearer" else ""


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()
