"""LiveKit's JWTs: HS256 under the API secret, by PyJWT. No I/O."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

import jwt
from jwt.algorithms import HMACAlgorithm

_HS256 = "HS256"


class _CheckedOnce(HMACAlgorithm):
    """PyJWT looks at every use whether the secret might be a public key: half of a signature."""

    @lru_cache  # noqa: B019 (there is one instance, for the life of the process)
    def prepare_key(self, key: str | bytes) -> bytes:
        return super().prepare_key(key)


# Ours alone: jwt.encode, and whoever else calls it in this process, has PyJWT's own.
_ALGORITHM = _CheckedOnce(HMACAlgorithm.SHA256)
_SIGNER = jwt.PyJWS(algorithms=[])
_SIGNER.register_algorithm(_HS256, _ALGORITHM)
# Bytes: {"alg":"HS256","typ":"JWT"} in base64, a signature, and two dots.
_AROUND_PAYLOAD = 36 + 43 + 2


def sign(claims: Mapping[str, Any], api_secret: str) -> str:
    """Return a JWT with these claims."""
    return sign_payload(json.dumps(claims, separators=(",", ":")).encode(), api_secret)


def sign_payload(payload: bytes, api_secret: str) -> str:
    """Return a JWT whose claims are written already, as JSON."""
    return _SIGNER.encode(payload, api_secret, _HS256)


def signed_length(payload: bytes) -> int:
    """Return how many bytes that JWT has."""
    return _AROUND_PAYLOAD + math.ceil(8 * len(payload) / 6)


@lru_cache
def _verifying_key(api_secret: str) -> jwt.PyJWK:
    """Return the secret as a key that brings its algorithm: jwt.decode asks that of no registry."""
    key = jwt.PyJWK(HMACAlgorithm.to_jwk(api_secret, as_dict=True), _HS256)
    key.Algorithm = _ALGORITHM
    return key


def verify(  # noqa: PLR0913 (each is a rule of its own, given by its name)
    unverified_token: str,
    api_secret: str,
    *,
    issuer: str,
    required: Sequence[str],
    leeway: timedelta,
    audience: str | None = None,
) -> dict[str, Any]:
    """Return the claims of a JWT that is signed with this secret, and good at this time.

    Raises:
        jwt.PyJWTError: It is not; the text says why.
    """
    claims: dict[str, Any] = jwt.decode(
        unverified_token,
        _verifying_key(api_secret),
        algorithms=[_HS256],
        issuer=issuer,
        # None: one that is for somebody is not for us.
        audience=audience,
        leeway=leeway,
        options={"require": list(required)},
    )
    return claims


def unverified_issuer(unverified_token: str) -> str:
    """Return the issuer that a JWT names; which secret has to verify it, and no more.

    Raises:
        jwt.PyJWTError: It is no JWT.
        LookupError: It names none.
    """
    claims = jwt.decode(unverified_token, options={"verify_signature": False})
    return str(claims["iss"])
