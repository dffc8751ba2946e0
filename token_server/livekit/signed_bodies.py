"""Bodies that were signed with an API key of LiveKit's: a JWT beside them has their SHA-256."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import timedelta

import jwt

from token_server.errors import UnauthenticatedError
from token_server.livekit.signatures import unverified_issuer, verify

# The signer's clock and ours may differ by so much.
_LEEWAY = timedelta(minutes=1)


class SignedBodies:
    """Verifies bodies on their raw bytes; of a stranger nothing is read.

    Args:
        api_secrets: The secret of each API key; several while they are being exchanged.
        signature: What has to be in the Authorization header, for the one who is refused.
        audience: Whom the signature has to be for, by its claim `aud`. Without an audience, it must
            have no such claim: what was signed for one reader is nothing to another.
    """

    def __init__(
        self, api_secrets: Mapping[str, str], signature: str, audience: str | None = None
    ) -> None:
        self._api_secrets, self._audience = dict(api_secrets), audience
        self._refusal = f"Authorization must be {signature}"

    def read(self, read_body: Callable[[], bytes], unverified_authorization: str) -> bytes:
        """Return a body that was signed for us.

        Args:
            read_body: Returns the raw bytes as they came, over which the signature is.
            unverified_authorization: The Authorization header: a JWT, claim sha256 = the
                body's SHA-256 in base64; "Bearer" may stand before it.

        Raises:
            UnauthenticatedError: Not signed with our key, not for us, or not for this body.
        """
        signed_hash = self._signed_hash(unverified_authorization)
        unverified_body = read_body()
        if not hmac.compare_digest(hashlib.sha256(unverified_body).digest(), signed_hash):
            raise UnauthenticatedError("Authorization is a signature for another body")
        return unverified_body

    def _signed_hash(self, unverified_authorization: str) -> bytes:
        """Return the SHA-256 of the body that was signed."""
        unverified_token = unverified_authorization.removeprefix("Bearer ")
        try:
            api_key, *others = self._api_secrets
            if others:
                api_key = unverified_issuer(unverified_token)
            claims = verify(
                unverified_token,
                self._api_secrets[api_key],
                issuer=api_key,
                audience=self._audience,
                required=("exp", "iss", "sha256"),
                leeway=_LEEWAY,
            )
            return base64.b64decode(claims["sha256"], validate=True)
        except (jwt.PyJWTError, LookupError, RecursionError, TypeError, ValueError):
            raise UnauthenticatedError(self._refusal) from None
