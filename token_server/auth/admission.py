"""The door to /token: who comes too often is turned away, and so is who may not ask.

Each limit is for those whom it is sized for. RATE_LIMIT is one person's: an address, a login, or
an end user of a backend. RATE_LIMIT_KEY is a backend's: the key that it asks with for all of them.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from werkzeug.datastructures import Headers

from shared_settings.settings import TokenAuth
from token_server.auth.callers import CallerKeys, Callers
from token_server.auth.client_address import NO_ADDRESS, client_of, end_user_of
from token_server.auth.issuer_keys import IssuerKeys, fetch_issuer_keys
from token_server.auth.logins import Caller, Logins
from token_server.auth.rate_limits import RateLimits
from token_server.errors import UnauthenticatedError
from token_server.settings import ParticipantIdentities, ParticipantMetadata, Settings
from token_server.telemetry.outage import Outage

if TYPE_CHECKING:
    from token_server.state.redis_link import RedisLink

logger = logging.getLogger(__name__)


class Person(NamedTuple):
    """Whose requests, and whose live rooms, count together.

    Attributes:
        kind: `caller` (a login), `end user` (of a backend), or `address`.
        name: Tells those of one kind apart.
    """

    kind: str
    name: str


class Admitted(NamedTuple):
    """Who was let in, while their request is not read yet; of a backend's, whom it is for."""

    caller: Caller
    person: Person | None


class Admission:
    """Rate limits and authentication, in the order that costs the least.

    Args:
        settings: TOKEN_AUTH, RATE_LIMIT, RATE_LIMIT_KEY, END_USER_HEADER and TRUSTED_PROXIES.
        redis: Where all machines count; None: each process counts by itself.
    """

    def __init__(self, settings: Settings, redis: "RedisLink | None" = None) -> None:
        self._callers, self._trusted_proxies = _callers(settings), settings.trusted_proxies
        self._are_backends = settings.token_auth is TokenAuth.KEY
        self._end_user_header = settings.end_user_header
        self._needs_address = bool(settings.rate_limit or settings.sessions_per_caller)
        self._limits = RateLimits(settings.rate_limit, redis)
        self._key_limits = RateLimits(settings.rate_limit_key, redis, "RATE_LIMIT_KEY")
        self._unknown_addresses = Outage()

    def let_in(self, unverified_headers: Headers, remote_address: str) -> Admitted:
        """Return who asks.

        Args:
            unverified_headers: Authorization, X-Forwarded-For and END_USER_HEADER are read.
            remote_address: Of whoever has connected to us.

        Raises:
            TooManyRequestsError: The address, or the caller, has asked too often.
            UnauthenticatedError: The caller has not shown what TOKEN_AUTH wants.
            IssuerUnavailableError: Login tokens cannot be checked at the moment.
        """
        find_address = partial(self._address, unverified_headers, remote_address)
        unverified_authorization = unverified_headers.get("Authorization", "")
        if self._are_backends:
            caller = self._check_key(unverified_authorization, find_address)
            return Admitted(caller, self._told_by_backend(unverified_headers))
        address = find_address()
        self._spend(address)
        caller = self._callers.check(unverified_authorization)
        if not caller.name:
            return Admitted(caller, address)
        person = Person("caller", caller.name)
        self._spend(person)
        return Admitted(caller, person)

    @contextmanager
    def reading(self, admitted: Admitted) -> Iterator[None]:
        """Count a backend's request for its key, if it cannot be read in the block.

        Raises:
            TooManyRequestsError: The key has asked too often.
        """
        try:
            yield
        except Exception:
            if self._are_backends:
                self._key_limits.spend("key", admitted.caller.name)
            raise

    def count(self, admitted: Admitted, participant_identity: str) -> Person | None:
        """Count what a backend asks for, now that it is read; return whom the token is for.

        The end user comes first: one who asks too often takes nothing of what the key has for all.

        Args:
            admitted: Who asks.
            participant_identity: The one asked for: a backend's end user, if no header told.

        Raises:
            TooManyRequestsError: The end user, or the key, has asked too often.
        """
        if not self._are_backends:
            return admitted.person
        person = admitted.person
        if not person and participant_identity:
            person = Person("end user", participant_identity)
        self._spend(person)
        self._key_limits.spend("key", admitted.caller.name)
        return person

    def _check_key(
        self, unverified_authorization: str, find_address: Callable[[], Person | None]
    ) -> Caller:
        """Let a backend in: its address stands for all of its users, and is not counted.

        An address from which wrong keys come is; so it takes nothing of what the right key has.
        """
        try:
            return self._callers.check(unverified_authorization)
        except UnauthenticatedError:
            self._spend(find_address())
            raise

    def _told_by_backend(self, headers: Headers) -> Person | None:
        told = headers.get(self._end_user_header, "") if self._end_user_header else ""
        end_user = end_user_of(told)
        return Person("end user", end_user) if end_user else None

    def _address(self, unverified_headers: Headers, remote_address: str) -> Person | None:
        """Return whom the address stands for; None where nothing is counted."""
        if not self._needs_address:
            return None
        unverified_forwarded_for = unverified_headers.get("X-Forwarded-For", "")
        client = client_of(remote_address, unverified_forwarded_for, self._trusted_proxies)
        if client == NO_ADDRESS and self._unknown_addresses.begins():
            logger.warning(_NO_ADDRESS_TOLD)
        return Person("address", client)

    def _spend(self, person: Person | None) -> None:
        if person:
            self._limits.spend(person.kind, person.name)


_NO_ADDRESS_TOLD = (
    "Callers whose address cannot be read share one RATE_LIMIT: set TRUSTED_PROXIES to the number"
    " of proxies that append the client's address to X-Forwarded-For"
)


def _callers(settings: Settings) -> Callers:
    anybody = Caller(
        may_choose_identity=settings.participant_identities is ParticipantIdentities.CHOSEN,
        may_choose_metadata=settings.participant_metadata is ParticipantMetadata.CALLER,
    )
    match settings.token_auth:
        case TokenAuth.NONE:
            return Callers(anybody)
        case TokenAuth.KEY:
            return Callers(anybody, keys=CallerKeys(settings.token_keys))
        case TokenAuth.JWT:
            fetch = partial(
                fetch_issuer_keys,
                settings.token_jwt_issuer,
                settings.token_jwt_jwks_url,
                proxies=settings.proxies,
                trusts_http=settings.token_jwt_trust_plain_http,
            )
            return Callers(anybody, logins=Logins(settings, IssuerKeys(fetch)))
