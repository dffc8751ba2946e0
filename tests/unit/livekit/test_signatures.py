"""Our signatures are PyJWT's, faster, and nobody else's business."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
import pytest
from jwt.algorithms import HMACAlgorithm

from token_server.livekit.signatures import sign, verify

SECRET = "a-secret-of-more-than-thirty-two-bytes"
CLAIMS = {"iss": "a-key", "sub": "alice", "exp": 2**32, "video": {"room": "ä"}}


def verified(token: str, secret: str = SECRET) -> Mapping[str, Any]:
    """Verify as webhooks are."""
    return verify(token, secret, issuer="a-key", required=["exp"], leeway=timedelta(seconds=60))


def test_what_we_sign_is_what_pyjwt_signs() -> None:
    """LiveKit reads it with a library of its own."""
    token = sign(CLAIMS, SECRET)

    assert jwt.encode(CLAIMS, SECRET, "HS256") == token
    assert CLAIMS == verified(token)


def test_who_else_uses_pyjwt_in_this_process_has_pyjwts_own() -> None:
    """Login tokens are verified with it, and so does livekit-api: none of them asked for ours."""
    sign(CLAIMS, SECRET)

    assert HMACAlgorithm is type(jwt.get_algorithm_by_name("HS256"))
    assert CLAIMS == jwt.decode(jwt.encode(CLAIMS, SECRET, "HS256"), SECRET, ["HS256"])


@pytest.mark.parametrize(
    ("token", "error"),
    [
        pytest.param(jwt.encode(CLAIMS, "x" * 32), jwt.InvalidSignatureError, id="other secret"),
        pytest.param(jwt.encode(CLAIMS, "", "none"), jwt.InvalidAlgorithmError, id="unsigned"),
        pytest.param(
            jwt.encode(CLAIMS, "x" * 64, "HS512"), jwt.InvalidAlgorithmError, id="other algorithm"
        ),
        pytest.param(sign(CLAIMS | {"exp": 1}, SECRET), jwt.ExpiredSignatureError, id="expired"),
        pytest.param(
            sign(CLAIMS | {"nbf": 2**31}, SECRET), jwt.ImmatureSignatureError, id="not yet"
        ),
        pytest.param(sign(CLAIMS | {"iss": "b"}, SECRET), jwt.InvalidIssuerError, id="issuer"),
        pytest.param(sign(CLAIMS | {"aud": "b"}, SECRET), jwt.InvalidAudienceError, id="audience"),
        pytest.param(
            sign({"iss": "a-key"}, SECRET), jwt.MissingRequiredClaimError, id="without exp"
        ),
        pytest.param("no.jwt.at.all", jwt.DecodeError, id="no JWT"),
    ],
)
def test_a_foreign_token_is_refused_with_pyjwts_reason(
    token: str, error: type[jwt.PyJWTError]
) -> None:
    """Each of PyJWT's checks is in force, those of the claims too."""
    with pytest.raises(error):
        verified(token)


@pytest.mark.parametrize(
    "secret", ["", "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----", '{"kty": "oct"}']
)
def test_a_secret_that_is_a_public_key_signs_and_verifies_nothing(secret: str) -> None:
    """PyJWT's own defence, which we only ask once for each secret."""
    with pytest.raises(jwt.InvalidKeyError):
        sign(CLAIMS, secret)
    with pytest.raises(jwt.InvalidKeyError):
        verified(sign(CLAIMS, SECRET), secret)
