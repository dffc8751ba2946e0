"""The public keys that an issuer of login tokens signs with, fetched from its JWKS and kept.

An issuer may replace its keys at any time, and may be away for a while: a key that we do not know
makes us ask again, though not more often than every few seconds, and without an answer the keys
that we have stay good.
"""

import json
import logging
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import jwt
import urllib3

from token_server.errors import IssuerUnavailableError

logger = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "ES256", "EdDSA")

# Seconds.
_TIMEOUT = urllib3.Timeout(connect=2.0, read=3.0)
_FRESH = 600.0
_BETWEEN_FETCHES = 10.0
# Bytes; a key takes about 1 KiB.
_DOCUMENT_LIMIT = 256 * 1024

Fetch = Callable[[], Sequence[jwt.PyJWK]]


class SigningKeys:
    """An issuer's keys by their id. Thread-safe."""

    def __init__(self, fetch: Fetch, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch, self._monotonic = fetch, monotonic
        self._keys: Sequence[jwt.PyJWK] = ()
        self._fetched_at = self._tried_at = float("-inf")
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
        if not self._keys:
            raise IssuerUnavailableError("the issuer of login tokens does not show its keys")
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
        # Who has keys does not wait for somebody else's answer.
        if not self._lock.acquire(blocking=not self._keys):
            return False
        try:
            now = self._monotonic()
            if now - self._tried_at < _BETWEEN_FETCHES:
                return False
            self._tried_at = now
            self._keys, self._fetched_at = self._fetch(), now
        except IssuerUnavailableError as error:
            logger.warning("Login tokens are checked with the keys at hand: %s", error)
            return False
        finally:
            self._lock.release()
        return True


def fetch_signing_keys(issuer: str, jwks_url: str) -> Sequence[jwt.PyJWK]:
    """Ask an issuer for the keys that it signs with.

    Args:
        issuer: The issuer's URL, as it stands in its tokens' `iss`.
        jwks_url: Where its keys are; "" to find that by OpenID discovery.

    Raises:
        IssuerUnavailableError: It does not answer, or what it answers is no set of keys.

    Source:
        https://openid.net/specs/openid-connect-discovery-1_0.html
        https://www.rfc-editor.org/rfc/rfc7517
    """
    if not jwks_url:
        document = _get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != issuer or not isinstance(document.get("jwks_uri"), str):
            raise IssuerUnavailableError("OpenID discovery does not describe TOKEN_JWT_ISSUER")
        jwks_url = document["jwks_uri"]
    found = _get(jwks_url).get("keys")
    keys = [key for item in found if (key := _to_key(item))] if isinstance(found, list) else []
    if not keys:
        raise IssuerUnavailableError(f"its JWKS has no key for {', '.join(ALGORITHMS)}")
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


def _get(url: str) -> dict[str, Any]:
    try:
        answer = urllib3.request(
            "GET", url, timeout=_TIMEOUT, retries=False, redirect=False, preload_content=False
        )
        with answer:
            body = answer.read(_DOCUMENT_LIMIT, decode_content=True)
            document = json.loads(body) if answer.status == 200 else None  # noqa: PLR2004 (HTTP)
    except (urllib3.exceptions.HTTPError, ValueError, RecursionError) as error:
        raise IssuerUnavailableError(f"{url} does not answer: {type(error).__name__}") from error
    if not isinstance(document, dict):
        raise IssuerUnavailableError(f"{url} answers HTTP {answer.status} and no JSON object")
    return document
