"""Which login tokens are believed; the issuer is a real one, on loopback."""

import base64
import json
import time
from collections.abc import Iterator

import hypothesis
import jwt
import pytest
from hypothesis import strategies as st

from tests.environ import settings
from tests.issuer import Issuer
from token_server.auth.callers import restrict
from token_server.auth.issuer_keys import IssuerKeys, fetch_issuer_keys
from token_server.auth.logins import Caller, Logins
from token_server.errors import UnauthenticatedError
from token_server.tokens.field_rules import check_shown_name, mend_shown_name
from token_server.tokens.token_request import TokenRequest


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Who signs."""
    with Issuer() as running:
        yield running


def logins_of(
    issuer: Issuer, jwks_url: str = "", identity_claim: str = "sub", **changes: str
) -> Logins:
    """Return what reads this issuer's tokens, with these settings changed."""
    given = {
        "TOKEN_AUTH": "jwt",
        "TOKEN_JWT_ISSUER": issuer.url,
        "TOKEN_JWT_AUDIENCE": "my-app, my-other-app",
        "TOKEN_JWT_IDENTITY_CLAIM": identity_claim,
    }
    read = settings(**given | changes)
    return Logins(read, IssuerKeys(lambda: fetch_issuer_keys(issuer.url, jwks_url)))


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
        pytest.param({"aud": None}, "TOKEN_JWT_TRUST_WITHOUT_AUDIENCE=1", id="for nobody, why"),
        pytest.param({"aud": ""}, "TOKEN_JWT_TRUST_WITHOUT_AUDIENCE=1", id="for an empty name"),
        pytest.param({"iss": "https://evil.example"}, "of this server's issuer", id="foreign"),
        pytest.param({"sub": None}, "the claim of the identity", id="of nobody"),
        pytest.param({"sub": ""}, "whose sub is a text", id="an empty identity"),
        pytest.param({"sub": 17}, "whose sub is a text", id="a number"),
        pytest.param(
            {"sub": "agent-x"}, "whose sub can be .* must not start with", id="an agent's"
        ),
        pytest.param({"sub": "sip_+1555"}, "whose sub can be .* must not start", id="a phone's"),
        pytest.param({"sub": "a" * 257}, "whose sub can be .* at most 256 bytes", id="too long"),
        pytest.param({"sub": "a\nb"}, "whose sub can be .* must not contain", id="two lines"),
        pytest.param({"sub": " a"}, "whose sub can be .* with a space", id="a space before"),
        pytest.param({"sub": "\ud800"}, "whose sub can be .* must not contain", id="half a pair"),
    ],
)
def test_a_token_that_is_not_for_us_is_refused(
    issuer: Issuer, changes: dict[str, object], reason: str
) -> None:
    """The frontend's developer learns which rule it was."""
    with pytest.raises(UnauthenticatedError, match=reason):
        logins_of(issuer).read(issuer.sign(**changes))


FOR_NOBODY = {"TOKEN_JWT_AUDIENCE": "", "TOKEN_JWT_TRUST_WITHOUT_AUDIENCE": "1"}


@pytest.mark.parametrize("audience", [None, "", []], ids=["none", "empty", "an empty list"])
def test_a_token_for_nobody_is_good_where_the_operator_says_so(
    issuer: Issuer, audience: object
) -> None:
    """Some issuers cannot be made to write an `aud`."""
    assert "alice" == logins_of(issuer, **FOR_NOBODY).read(issuer.sign(aud=audience)).name


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"aud": "another-app"}, "without aud: TOKEN_JWT_AUDIENCE", id="for another"),
        pytest.param({"aud": ["a", "b"]}, "without aud: TOKEN_JWT_AUDIENCE", id="for others"),
        pytest.param({"aud": None, "iss": "x"}, "of this server's issuer", id="foreign"),
        pytest.param({"aud": None, "exp": 1}, "that has not expired", id="expired"),
        pytest.param({"aud": None, "exp": None}, "with exp, iss and the claim", id="eternal"),
        pytest.param({"aud": None, "sub": None}, "with exp, iss and the claim", id="of nobody"),
    ],
)
def test_where_tokens_may_be_for_nobody_all_else_holds(
    issuer: Issuer, changes: dict[str, object], reason: str
) -> None:
    """One that says whom it is for is not for us (RFC 7519, 4.1.3)."""
    with pytest.raises(UnauthenticatedError, match=reason):
        logins_of(issuer, **FOR_NOBODY).read(issuer.sign(**changes))


def test_the_log_says_once_that_tokens_have_no_audience(
    issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    """It is how the issuer is set up: every login fails, and its operator reads the log."""
    logins = logins_of(issuer)
    for token in [issuer.sign(aud=None), issuer.sign(aud=None), unsigned(issuer)]:
        with pytest.raises(UnauthenticatedError):
            logins.read(token)

    (line,) = [record.getMessage() for record in caplog.records]
    assert "TOKEN_JWT_TRUST_WITHOUT_AUDIENCE=1" in line


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("Anna ", "Anna", id="a space behind"),
        pytest.param("\u202eAnna\u202c", "Anna", id="direction marks"),
        pytest.param("An\u200bna", "Anna", id="a zero-width space"),
        pytest.param("\ufeffAnna", "Anna", id="a byte order mark"),
        pytest.param("Anna\tLee", "Anna Lee", id="a tab"),
        pytest.param("Anna \r\n Lee\n", "Anna Lee", id="two lines"),
        pytest.param("Anna\x00\x1b\x85Lee", "Anna Lee", id="control characters"),
        pytest.param("Anna\ud83dLee", "AnnaLee", id="half a pair"),
        pytest.param("x" * 300, "x" * 256, id="300 letters"),
        pytest.param("x" + "é" * 200, "x" + "é" * 127, id="a letter across the limit"),
        pytest.param("x" * 255 + " y", "x" * 255, id="a space at the limit"),
        pytest.param("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧", id="a family"),
        pytest.param("\u200b\t\u202e ", "", id="nothing to be seen"),
        pytest.param("", "", id="empty"),
        pytest.param(17, "", id="a number"),
        pytest.param(None, "", id="none"),
    ],
)
def test_a_name_that_does_not_fit_is_mended_or_left_out(
    issuer: Issuer, name: object, shown: str
) -> None:
    """It is only shown: the person joins."""
    assert shown == logins_of(issuer).read(issuer.sign(name=name)).participant_name


@hypothesis.given(name=st.text(st.characters(), max_size=400))
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_whatever_the_name_claim_is_the_person_gets_a_token(issuer: Issuer, name: str) -> None:
    """And others see a name that a caller could have asked for, or none."""
    caller = logins_of(issuer, f"{issuer.url}/keys").read(issuer.sign(name=name))

    request = restrict(TokenRequest(), caller)
    assert request == TokenRequest.model_validate(dict(request))


@hypothesis.given(name=st.text(max_size=300))
def test_a_name_that_fits_stays_as_it_is(name: str) -> None:
    """Nobody's name is changed without need."""
    try:
        check_shown_name(name)
    except ValueError:
        hypothesis.reject()

    assert name == mend_shown_name(name)


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
