"""The public keys that an issuer of login tokens signs with, fetched from its JWKS and kept.

An issuer may replace its keys at any time, may take back all of them, and may be away for a while:
a key that we do not know makes us ask again, though not more often than every few seconds, and
without an answer the keys that we have stay good.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import Any

import jwt

from token_server.auth.json_documents import fetch_json_object
from token_server.errors import IssuerUnavailableError, IssuerUntrustedError
from token_server.proxies import Proxies

logger = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "ES256", "EdDSA")

# Seconds. Whoever asks for a token waits while the issuer is asked.
_IN_ALL = 5.0
_FRESH = 600.0
_BETWEEN_FETCHES = 10.0
_NEVER = float("-inf")
_NO_PROXIES = Proxies()
_SILENT = "the issuer of login tokens does not show its keys"
_OPEN = f"{_SILENT} over https, and over http only TOKEN_JWT_TRUST_PLAIN_HTTP=1 lets them come"

Fetch = Callable[[], Sequence[jwt.PyJWK]]


class IssuerKeys:
    """An issuer's keys by their id. Thread-safe."""

    def __init__(self, fetch: Fetch, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch, self._monotonic = fetch, monotonic
        self._keys: Sequence[jwt.PyJWK] = ()
        self._fetched_at = self._tried_at = _NEVER
        self._silence = _SILENT  # why there are no keys, for callers
        self._lock = Lock()

    def find(self, key_id: str | None, algorithm: str) -> jwt.PyJWK | None:
        """Return the key of this id for this algorithm; without an id, if there is only one.

        Raises:
            IssuerUnavailableError: The issuer has never answered, and does not now.
        """
        if self._monotonic() - self._fetched_at > _FRESH:
            self._fetch_again()
        found = self._known(key_id, algorithm)
        if found is None and self._fetch_again():
            found = self._known(key_id, algorithm)
        if self._fetched_at == _NEVER:
            raise IssuerUnavailableError(self._silence)
        return found

    def _known(self, key_id: str | None, algorithm: str) -> jwt.PyJWK | None:
        fitting = [
            key
            for key in self._keys
            if key.algorithm_name == algorithm and key_id in {None, key.key_id}
        ]
        return fitting[0] if len(fitting) == 1 else None

    def _fetch_again(self) -> bool:
        """Ask the issuer, if that was not just done; whether it has answered now."""
        # Who knows what the issuer last said does not wait for somebody else's answer.
        if not self._lock.acquire(blocking=self._fetched_at == _NEVER):
            return False
        try:
            now = self._monotonic()
            if now - self._tried_at < _BETWEEN_FETCHES:
                return False
            self._tried_at = now
            self._keys, self._fetched_at = self._fetch(), now
        except IssuerUnavailableError as error:
            self._silence = _OPEN if isinstance(error, IssuerUntrustedError) else _SILENT
            logger.warning("Login tokens are checked with the keys at hand: %s", error)
            return False
        finally:
            self._lock.release()
        return True


def fetch_issuer_keys(
    issuer: str,
    jwks_url: str,
    in_all: float = _IN_ALL,
    *,
    proxies: Proxies = _NO_PROXIES,
    trusts_http: bool = False,
) -> Sequence[jwt.PyJWK]:
    """Ask an issuer for the keys that it signs with.

    Args:
        issuer: The issuer's URL, as it stands in its tokens' `iss`.
        jwks_url: Where its keys are; "" to find that by OpenID discovery.
        in_all: Seconds that it may take.
        proxies: What leads to it.
        trusts_http: Whether plain http may lead to another machine.

    Returns:
        None of them where it has revoked all, or signs in no way that we accept.

    Raises:
        IssuerUnavailableError: It does not answer, or what it answers is no set of keys.

    Source:
        https://openid.net/specs/openid-connect-discovery-1_0.html
        https://www.rfc-editor.org/rfc/rfc7517
    """
    fetch = partial(
        fetch_json_object,
        ends_at=time.monotonic() + in_all,
        proxies=proxies,
        trusts_http=trusts_http,
    )
    if not jwks_url:
        document = fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != issuer or not isinstance(document.get("jwks_uri"), str):
            raise IssuerUnavailableError("OpenID discovery does not describe TOKEN_JWT_ISSUER")
        jwks_url = document["jwks_uri"]
    found = fetch(jwks_url).get("keys")
    if not isinstance(found, list):
        raise IssuerUnavailableError(f"{jwks_url} is no JWKS")
    keys = [key for item in found if (key := _to_key(item))]
    if not keys:
        logger.warning(
            "Every login token is refused: the issuer's JWKS has no key for %s",
            ", ".join(ALGORITHMS),
        )
    return keys


def _to_key(item: Any) -> jwt.PyJWK | None:  # noqa: ANN401 (whatever the issuer sent)
    """Read one key; None if it is not for signatures that we accept."""
    if not isinstance(item, dict) or item.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(item)
    except jwt.PyJWTError:
        return None
    return key if key.algorithm_name in ALGORITHMS else None
