"""Which login tokens are believed; the issuer is a real one, on loopback."""

import base64
import json
import time
from collections.abc import Iterator

import jwt
import pytest

from tests.issuer import Issuer
from token_server.errors import UnauthenticatedError
from token_server.logins import Caller, LoginRules, Logins
from token_server.signing_keys import SigningKeys, fetch_signing_keys


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Who signs."""
    with Issuer() as running:
        yield running


def logins_of(issuer: Issuer, jwks_url: str = "", identity_claim: str = "sub") -> Logins:
    """Return what reads this issuer's tokens."""
    rules = LoginRules(
        issuer=issuer.url,
        audiences=("my-app", "my-other-app"),
        identity_claim=identity_claim,
        name_claim="name",
    )
    return Logins(rules, SigningKeys(lambda: fetch_signing_keys(issuer.url, jwks_url)))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("is_discovered", [True, False], ids=["discovery", "JWKS URL"])
def test_a_login_token_says_who_asks(algorithm: str, *, is_discovered: bool) -> None:
    """Identity and name come from the claims."""
    with Issuer(algorithm) as issuer:
        logins = logins_of(issuer, "" if is_discovered else f"{issuer.url}/keys")

        caller = logins.read(issuer.sign())

    assert Caller(name="alice", participant_identity="alice", participant_name="Alice") == caller


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"exp": 1}, "that has not expired", id="expired"),
        pytest.param({"exp": None}, "with exp", id="eternal"),
        pytest.param({"nbf": 2**32}, "that is valid already", id="not yet"),
        pytest.param({"aud": "another-app"}, "for this audience", id="for another application"),
        pytest.param({"aud": None}, "with exp, iss, aud", id="for nobody"),
        pytest.param({"iss": "https://evil.example"}, "of this server's issuer", id="foreign"),
        pytest.param({"sub": None}, "the claim of the identity", id="of nobody"),
        pytest.param({"sub": ""}, "whose sub is a text", id="an empty identity"),
        pytest.param({"sub": "agent-voice-agent"}, "claims fit a participant", id="an agent's"),
        pytest.param({"sub": "a" * 257}, "claims fit a participant", id="too long"),
        pytest.param({"name": "a\nb"}, "claims fit a participant", id="a name of two lines"),
    ],
)
def test_a_token_that_is_not_for_us_is_refused(
    issuer: Issuer, changes: dict[str, object], reason: str
) -> None:
    """The frontend's developer learns which rule it was."""
    with pytest.raises(UnauthenticatedError, match=reason):
        logins_of(issuer).read(issuer.sign(**changes))


def test_a_minute_of_leeway_is_given(issuer: Issuer) -> None:
    """Clocks differ."""
    token = issuer.sign(exp=int(time.time()) - 30, nbf=int(time.time()) + 30)

    assert "alice" == logins_of(issuer).read(token).name


def test_another_claim_can_be_the_identity(issuer: Issuer) -> None:
    """Some want the e-mail address there."""
    logins = logins_of(issuer, identity_claim="email")

    assert "a@example.com" == logins.read(issuer.sign(email="a@example.com")).participant_identity


def unsigned(issuer: Issuer) -> str:
    """Return alice's token with algorithm "none"."""
    body = issuer.sign().split(".")[1]
    return f"{encode({'alg': 'none', 'kid': 'first'})}.{body}."


def confused(issuer: Issuer) -> str:
    """Return alice's token, signed with HMAC under the public key that everybody can see."""
    claims = jwt.decode(issuer.sign(), options={"verify_signature": False})
    return jwt.encode(claims, b"#" + issuer.public_key_document(), "HS256", {"kid": "first"})


def forged(issuer: Issuer) -> str:
    """Return a token that somebody else has signed, under the same key's name."""
    with Issuer() as other:
        return other.sign(iss=issuer.url)


def altered(issuer: Issuer) -> str:
    """Return alice's token with bob's name in it."""
    head, body, signature = issuer.sign().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{head}.{encode(claims | {'sub': 'bob'})}.{signature}"


def of_another_algorithm(issuer: Issuer) -> str:
    """Return a token whose header names an algorithm that is not the key's."""
    _, body, signature = issuer.sign().split(".")
    return f"{encode({'alg': 'ES256', 'kid': 'first'})}.{body}.{signature}"


def encode(part: object) -> str:
    """Write one part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("forge", [unsigned, confused, forged, altered, of_another_algorithm])
def test_a_forgery_is_refused(issuer: Issuer, forge: object) -> None:
    """The well-known ones (RFC 8725)."""
    logins = logins_of(issuer)
    assert callable(forge)

    with pytest.raises(UnauthenticatedError, match="that is genuine"):
        logins.read(forge(issuer))


DEEP = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 5000).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "." * 3, "é.é.é", "\udcff", "e30.e30.e30", f"{DEEP}.e30.e30"]
)
def test_rubbish_is_refused(issuer: Issuer, token: str) -> None:
    """Never a 500, and the issuer is not asked."""
    with pytest.raises(UnauthenticatedError):
        logins_of(issuer).read(token)

    assert [] == issuer.asked
