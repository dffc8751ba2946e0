"""Who may ask for a token, by TOKEN_AUTH: anybody, who has a key, or who has logged in."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace

from token_server.auth.logins import Caller, Logins
from token_server.bearer_keys import HASHED
from token_server.errors import PermissionDeniedError, UnauthenticatedError
from token_server.tokens.token_request import TokenRequest

_METADATA = ("participant_metadata", "participant_attributes")
_ANYBODY = Caller()


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

    Args:
        anybody: What whoever may ask may choose. Without logins nobody's identity is known; they
            may choose one, or not. So with metadata and attributes, whoever asks: a login says
            nothing of them.
        keys: Those of callers.
        logins: Reads login tokens.
    """

    def __init__(
        self,
        anybody: Caller = _ANYBODY,
        *,
        keys: CallerKeys | None = None,
        logins: Logins | None = None,
    ) -> None:
        self._anybody, self._keys, self._logins = anybody, keys, logins

    def check(self, unverified_authorization: str) -> Caller:
        """Let the caller pass, or not; return what is known of them.

        Raises:
            UnauthenticatedError: The header holds none of the keys, or no good login token.
            IssuerUnavailableError: Login tokens cannot be checked at the moment.
        """
        if self._logins:
            caller = self._logins.read(_bearer(unverified_authorization))
            return replace(caller, may_choose_metadata=self._anybody.may_choose_metadata)
        if not self._keys:
            return self._anybody
        holder = self._keys.holder_of(unverified_authorization)
        if holder is None:
            raise UnauthenticatedError("Authorization must be 'Bearer' and one of the caller keys")
        return replace(self._anybody, name=holder.name)


def restrict(request: TokenRequest, caller: Caller) -> TokenRequest:
    """Return the request with the caller's own identity and name in it.

    Raises:
        PermissionDeniedError: It asks for another identity or name, or for something that is not
            the caller's to choose.
    """
    if request.participant_identity and not caller.may_choose_identity:
        raise PermissionDeniedError("participant_identity must be left out: you get a fresh one")
    for field in () if caller.may_choose_metadata else _METADATA:
        if getattr(request, field):
            raise PermissionDeniedError(f"{field} must be left out: PARTICIPANT_METADATA is none")
    identity, name = caller.participant_identity, caller.participant_name
    fixed = {"participant_identity": identity} if identity else {}
    if name is not None:
        fixed["participant_name"] = name
    for field, value in fixed.items():
        if getattr(request, field) not in {"", value}:
            rule = "be the login token's" if value else "come from the login token, which has none"
            raise PermissionDeniedError(f"{field} must be left out, or {rule}")
    return request.model_copy(update=fixed) if fixed else request


def _bearer(unverified_authorization: str) -> str:
    """Return what follows `Bearer`, in whatever case; "" under any other scheme."""
    scheme, _, unverified_secret = unverified_authorization.partition(" ")
    return unverified_secret.strip() if scheme.lower() == "bearer" else ""


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()
