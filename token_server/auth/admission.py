"""The door to /token: who comes too often is turned away, and so is who may not ask."""

import logging
from functools import partial
from typing import TYPE_CHECKING

from limits import parse

from shared_settings.settings import TokenAuth
from token_server.auth.callers import CallerKeys, Callers
from token_server.auth.client_address import NO_ADDRESS, client_of
from token_server.auth.issuer_keys import IssuerKeys, fetch_issuer_keys
from token_server.auth.logins import Caller, Logins
from token_server.auth.rate_limits import RateLimits
from token_server.settings import ParticipantIdentities, ParticipantMetadata, Settings
from token_server.telemetry.outage import Outage

if TYPE_CHECKING:
    from token_server.state.redis_link import RedisLink

logger = logging.getLogger(__name__)


class Admission:
    """Rate limits and authentication, in the order that costs the least.

    Args:
        settings: TOKEN_AUTH, RATE_LIMIT and TRUSTED_PROXIES.
        redis: Where all machines count; None: each process counts by itself.
    """

    def __init__(self, settings: Settings, redis: "RedisLink | None" = None) -> None:
        self._callers, self._trusted_proxies = _callers(settings), settings.trusted_proxies
        limits = [parse(limit) for limit in settings.rate_limit]
        self._rate_limits = RateLimits(limits, redis) if limits else None
        self._unknown_addresses = Outage()

    def let_in(
        self, unverified_authorization: str, remote_address: str, unverified_forwarded_for: str
    ) -> Caller:
        """Return who asks.

        Args:
            unverified_authorization: The Authorization header.
            remote_address: Of whoever has connected to us.
            unverified_forwarded_for: The X-Forwarded-For header.

        Raises:
            TooManyRequestsError: The address, or the caller, has asked too often.
            UnauthenticatedError: The caller has not shown what TOKEN_AUTH wants.
            IssuerUnavailableError: Login tokens cannot be checked at the moment.
        """
        if not self._rate_limits:
            return self._callers.check(unverified_authorization)
        client = client_of(remote_address, unverified_forwarded_for, self._trusted_proxies)
        if client == NO_ADDRESS and self._unknown_addresses.begins():
            logger.warning(_NO_ADDRESS_TOLD)
        self._rate_limits.spend("address", client)
        caller = self._callers.check(unverified_authorization)
        if caller.name:
            self._rate_limits.spend("caller", caller.name)
        return caller


_NO_ADDRESS_TOLD = (
    "Callers whose address cannot be read share one RATE_LIMIT: set TRUSTED_PROXIES to the number"
    " of proxies that append the client's address to X-Forwarded-For"
)


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
                fetch_issuer_keys,
                settings.token_jwt_issuer,
                settings.token_jwt_jwks_url,
                settings.proxies,
            )
            return build(logins=Logins(settings, IssuerKeys(fetch)))
