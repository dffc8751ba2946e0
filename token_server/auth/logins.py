"""TOKEN_AUTH=jwt: the frontend's own login token says who asks. No I/O but the issuer's keys."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import jwt

from token_server.auth.issuer_keys import ALGORITHMS
from token_server.errors import UnauthenticatedError
from token_server.settings import Settings
from token_server.telemetry.outage import Outage
from token_server.tokens.field_rules import check_identity, mend_shown_name

logger = logging.getLogger(__name__)

# The issuer's clock and ours may differ by so much.
_LEEWAY = timedelta(minutes=1)
_RULE = "Authorization must be 'Bearer' and a login token"
# What a caller may know of why; anything else is "that is not genuine".
_REASONS: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: "that has not expired",
    jwt.ImmatureSignatureError: "that is valid already",
    jwt.InvalidAudienceError: "for this audience",
    jwt.InvalidIssuerError: "of this server's issuer",
    jwt.exceptions.InvalidSubjectError: "whose sub is a text",
}
_NO_AUDIENCE = (
    ": without aud they are good only where the server has TOKEN_JWT_TRUST_WITHOUT_AUDIENCE=1 in"
    " place of TOKEN_JWT_AUDIENCE"
)


class Keys(Protocol):
    """Where the issuer's keys come from."""

    def find(self, key_id: str | None, algorithm: str) -> jwt.PyJWK | None:
        """Return the key that a token names, None if the issuer has no such key."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks for a token.

    Attributes:
        name: What tells callers apart; empty if nothing does.
        participant_identity: The only identity that they may join with; empty: any.
        participant_name: The only name; empty: none at all; None: any.
        may_choose_identity: Whether they may name an identity, where any is theirs.
        may_choose_metadata: Whether they may give themselves metadata and attributes.
    """

    name: str = ""
    participant_identity: str = ""
    participant_name: str | None = None
    may_choose_identity: bool = True
    may_choose_metadata: bool = True


class Logins:
    """Reads login tokens of one issuer.

    Args:
        settings: TOKEN_JWT_…: what a token has to say, and which of its claims we take over.
        keys: The issuer's.
    """

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._settings, self._keys = settings, keys
        self._claims = settings.token_jwt_identity_claim, settings.token_jwt_name_claim
        self._audience: tuple[str, ...] | None = settings.token_jwt_audience
        if settings.token_jwt_trust_without_audience and not self._audience:
            self._audience = None  # only tokens without aud are good then: PyJWT refuses the others
        self._required = ["exp", "iss", *(["aud"] if self._audience is not None else [])]
        self._without_audience = Outage()

    def read(self, unverified_token: str) -> Caller:
        """Return who a login token stands for.

        Raises:
            UnauthenticatedError: It is not the issuer's, not for us, or not good now.
            IssuerUnavailableError: The issuer's keys are not known, and it does not answer.

        Source:
            https://www.rfc-editor.org/rfc/rfc8725 (JSON Web Token best current practices)
        """
        try:
            claims = self._verify(unverified_token)
        except (jwt.PyJWTError, UnicodeError, RecursionError) as error:
            raise UnauthenticatedError(f"{_RULE} {self._reason(error)}") from None
        return self._to_caller(claims)

    def _reason(self, error: Exception) -> str:
        if isinstance(error, jwt.InvalidAudienceError) and self._audience is None:
            return "without aud: TOKEN_JWT_AUDIENCE says for whom others are, and names nobody"
        if not isinstance(error, jwt.MissingRequiredClaimError):
            return _REASONS.get(type(error), "that is genuine")
        reason = f"with {', '.join(self._required)} and the claim of the identity"
        if error.claim != "aud":
            return reason
        # Their issuer has signed them, so this is how it is set up; once is enough to say it.
        if self._without_audience.begins():
            logger.warning("Login tokens are refused%s", _NO_AUDIENCE)
        return reason + _NO_AUDIENCE

    def _to_caller(self, claims: Mapping[str, Any]) -> Caller:
        claim, name_claim = self._claims
        identity, unverified_name = claims.get(claim), claims.get(name_claim)
        if not isinstance(identity, str) or not identity:
            raise UnauthenticatedError(f"{_RULE} whose {claim} is a text")
        try:
            participant_identity = check_identity(identity)
        except ValueError as error:
            raise UnauthenticatedError(
                f"{_RULE} whose {claim} can be a participant's identity: it {error}"
            ) from None
        # A name is only shown: better a shorter one, or none, than nobody.
        name = mend_shown_name(unverified_name) if isinstance(unverified_name, str) else ""
        return Caller(
            name=identity, participant_identity=participant_identity, participant_name=name
        )

    def _verify(self, unverified_token: str) -> dict[str, Any]:
        unverified_header = jwt.get_unverified_header(unverified_token)
        # Before any key is looked up: neither "none" nor a public key taken for an HMAC secret.
        algorithm = unverified_header.get("alg")
        if algorithm not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError
        key = self._keys.find(unverified_header.get("kid"), algorithm)
        if key is None:
            raise jwt.InvalidKeyError
        claims: dict[str, Any] = jwt.decode(
            unverified_token,
            key,
            algorithms=[key.algorithm_name],
            issuer=self._settings.token_jwt_issuer,
            audience=self._audience,
            leeway=_LEEWAY,
            options={"require": [*self._required, self._claims[0]]},
        )
        return claims
