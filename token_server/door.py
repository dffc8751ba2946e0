"""The door to /token: who comes too often is turned away, and so is who may not ask."""

from functools import partial

from limits import parse

from token_server.callers import CallerKeys, Callers
from token_server.logins import Caller, LoginRules, Logins
from token_server.rate_limits import RateLimits, address_of
from token_server.settings import (
    ParticipantIdentities,
    ParticipantMetadata,
    Settings,
    TokenAuth,
)
from token_server.signing_keys import SigningKeys, fetch_signing_keys


class Door:
    """Rate limits and authentication, in the order that costs the least."""

    def __init__(self, callers: Callers, rate_limits: RateLimits | None) -> None:
        self._callers, self._rate_limits = callers, rate_limits

    @classmethod
    def of(cls, settings: Settings) -> "Door":
        """Build what TOKEN_AUTH and RATE_LIMIT say."""
        limits = [parse(limit) for limit in settings.rate_limit]
        rate_limits = RateLimits(limits, settings.redis_url) if limits else None
        return cls(_callers(settings), rate_limits)

    def let_in(self, unverified_authorization: str, remote_address: str | None) -> Caller:
        """Return who asks.

        Args:
            unverified_authorization: The Authorization header.
            remote_address: The client's, as the last proxy that we trust has seen it.

        Raises:
            TooManyRequestsError: The address, or the caller, has asked too often.
            UnauthenticatedError: The caller has not shown what TOKEN_AUTH wants.
            IssuerUnavailableError: Login tokens cannot be checked at the moment.
        """
        if not self._rate_limits:
            return self._callers.check(unverified_authorization)
        if address := address_of(remote_address):
            self._rate_limits.spend("address", address)
        caller = self._callers.check(unverified_authorization)
        if caller.name:
            self._rate_limits.spend("caller", caller.name)
        return caller


def _callers(settings: Settings) -> Callers:
    build = partial(
        Callers,
        may_choose_identity=settings.participant_identities is ParticipantIdentities.CHOSEN,
        may_choose_metadata=settings.participant_metadata is ParticipantMetadata.CALLER,
    )
    match settings.token_auth:
        case TokenAuth.NONE:
            return build()
        case TokenAuth.KEY:
            return build(keys=CallerKeys(settings.token_keys))
        case TokenAuth.JWT:
            fetch = partial(
                fetch_signing_keys, settings.token_jwt_issuer, settings.token_jwt_jwks_url
            )
            return build(logins=Logins(_login_rules(settings), SigningKeys(fetch)))


def _login_rules(settings: Settings) -> LoginRules:
    return LoginRules(
        issuer=settings.token_jwt_issuer,
        audiences=settings.token_jwt_audience,
        identity_claim=settings.token_jwt_identity_claim,
        name_claim=settings.token_jwt_name_claim,
    )
