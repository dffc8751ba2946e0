"""When an issuer is asked for its keys, and what holds while it does not answer."""

import time
from collections.abc import Iterator

import jwt
import pytest

from tests.issuer import Dripping, Issuer
from token_server.auth.issuer_keys import IssuerKeys, fetch_issuer_keys
from token_server.errors import IssuerUnavailableError


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Who signs."""
    with Issuer() as running:
        yield running


class Clock:
    """Seconds that pass when a test says so."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """What the keys' age is measured with."""
    return Clock()


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> IssuerKeys:
    """The keys of this issuer, by discovery."""
    return IssuerKeys(lambda: fetch_issuer_keys(issuer.url, ""), clock)


def found(keys: IssuerKeys, key_id: str | None) -> str | None:
    """Return the id of the key that is found."""
    key = keys.find(key_id, "RS256")
    return key.key_id if key else None


def test_the_issuer_is_asked_once_for_many_tokens(issuer: Issuer, keys: IssuerKeys) -> None:
    """Two documents: the discovery and the keys."""
    assert ["first"] * 3 == [found(keys, "first") for _ in range(3)]
    assert 2 == len(issuer.asked)


def test_a_new_key_is_found_as_soon_as_a_token_names_it(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    """Issuers replace their keys, and do not tell."""
    found(keys, "first")
    issuer.rotate("second")
    clock.now += 11

    assert ("second", None) == (found(keys, "second"), found(keys, "first"))


def test_tokens_with_invented_keys_do_not_make_us_ask_again_and_again(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    """Anybody can send them: one question in ten seconds."""
    for number in range(50):
        assert None is found(keys, f"invented-{number}")
        clock.now += 0.4

    assert 6 >= len(issuer.asked)


def test_keys_are_asked_for_again_after_ten_minutes(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    """A key that was taken back is not good for ever."""
    found(keys, "first")
    issuer.rotate("second")
    clock.now += 601

    assert None is found(keys, "first")


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param({"keys": []}, id="none"),
        pytest.param({"keys": [{"kty": "oct", "k": "eA", "kid": "first"}]}, id="none that fits"),
    ],
)
def test_an_issuer_that_shows_no_key_has_revoked_them(
    issuer: Issuer, keys: IssuerKeys, clock: Clock, shown: object
) -> None:
    """Every login is refused (401), also while the issuer is away after that."""
    found(keys, "first")
    issuer.documents["/realm/keys"] = shown
    clock.now += 601
    revoked = found(keys, "first")
    issuer.is_down = True
    clock.now += 601

    assert (None, None) == (revoked, found(keys, "first"))


def test_an_issuer_that_begins_without_keys_is_no_trouble(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    """401 until it has one, which is found as soon as a token names it."""
    shown, issuer.documents["/realm/keys"] = issuer.documents["/realm/keys"], {"keys": []}
    before = found(keys, "first")
    issuer.documents["/realm/keys"] = shown
    clock.now += 11

    assert (None, "first") == (before, found(keys, "first"))


def test_an_issuer_that_is_away_stops_nobody_whose_key_we_know(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    """However long it is away."""
    found(keys, "first")
    issuer.is_down = True
    clock.now += 86_400

    assert "first" == found(keys, "first")


def test_an_issuer_that_never_answered_is_a_trouble_that_may_pass(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    """503, not 401: the frontend should not log its user out."""
    issuer.is_down = True
    with pytest.raises(IssuerUnavailableError):
        keys.find("first", "RS256")
    issuer.is_down = False
    clock.now += 11

    assert "first" == found(keys, "first")


def test_a_token_without_a_key_id_fits_the_only_key(keys: IssuerKeys) -> None:
    """Some issuers have one key and no name for it."""
    assert "first" == found(keys, None)


def test_a_token_without_a_key_id_fits_none_of_two(issuer: Issuer, keys: IssuerKeys) -> None:
    """No guessing."""
    with Issuer() as other:
        shown = other.documents["/realm/keys"]
    assert isinstance(shown, dict)
    issuer.publish(shown["keys"][0] | {"kid": "other"})

    assert None is found(keys, None)


def test_keys_that_are_not_for_signatures_do_not_count(issuer: Issuer) -> None:
    """A shared secret in a public document would let everybody in."""
    shared = jwt.algorithms.HMACAlgorithm.to_jwk(b"x" * 32, as_dict=True)
    issuer.publish({**shared, "kid": "shared"}, {"kty": "new"}, {"kid": "no kty"})

    assert ["first"] == [key.key_id for key in fetch_issuer_keys(issuer.url, "")]


@pytest.mark.parametrize(
    ("path", "document"),
    [
        pytest.param("keys", {"keys": "x"}, id="no list"),
        pytest.param("keys", ["x"], id="no object"),
        pytest.param("keys", None, id="nothing"),
        pytest.param("keys", {"keys": [], "more": "x" * 300_000}, id="too much"),
        pytest.param(".well-known/openid-configuration", {"issuer": "x"}, id="another issuer"),
        pytest.param(".well-known/openid-configuration", None, id="no discovery"),
    ],
)
def test_rubbish_is_no_answer(issuer: Issuer, path: str, document: object) -> None:
    """A page of a proxy, say: the keys at hand stay good."""
    issuer.documents[f"/realm/{path}"] = document

    with pytest.raises(IssuerUnavailableError):
        fetch_issuer_keys(issuer.url, "")


def test_an_issuer_out_of_reach_is_no_answer() -> None:
    """Nothing listens there."""
    with Issuer() as gone:
        pass

    with pytest.raises(IssuerUnavailableError):
        fetch_issuer_keys(gone.url, "")


@pytest.mark.parametrize("part", ["head", "body"])
@pytest.mark.parametrize("jwks_url", ["", "/keys"], ids=["discovery", "JWKS URL"])
def test_an_issuer_that_drips_is_hung_up_on(part: str, jwks_url: str) -> None:
    """Each byte comes in time, and the whole never does; whoever asks for a token waits for it."""
    started = time.monotonic()

    with Dripping(part) as issuer:
        with pytest.raises(IssuerUnavailableError, match="does not answer"):
            fetch_issuer_keys(issuer.url, jwks_url and issuer.url + jwks_url, in_all=0.5)
        seconds = time.monotonic() - started

        issuer.hung_up.wait(5)
    assert (True, True) == (seconds < 1, issuer.hung_up.is_set())


def test_two_slow_documents_have_one_time_between_them(issuer: Issuer) -> None:
    """Discovery and keys: in all, not each."""
    started = time.monotonic()

    issuer.seconds = 0.4

    with pytest.raises(IssuerUnavailableError):
        fetch_issuer_keys(issuer.url, "", in_all=0.6)

    assert 0.75 > time.monotonic() - started


def test_a_redirect_is_not_followed(issuer: Issuer) -> None:
    """Keys come from where the operator said, or where that says in words."""
    issuer.redirects["/realm/keys"] = "/realm/elsewhere"
    issuer.documents["/realm/elsewhere"] = issuer.documents["/realm/keys"]

    with pytest.raises(IssuerUnavailableError, match="HTTP 302"):
        fetch_issuer_keys(issuer.url, "")

    assert "/realm/elsewhere" not in issuer.asked


def elsewhere(issuer: Issuer, path: str = "/keys") -> str:
    """Return an address of the issuer's that leads here and, by its spelling, to any machine."""
    return f"{issuer.url.replace('127.0.0.1', '127.1')}{path}"


@pytest.mark.parametrize("is_discovered", [True, False], ids=["discovery", "JWKS URL"])
def test_keys_come_over_http_only_where_the_operator_says_so(
    issuer: Issuer, *, is_discovered: bool
) -> None:
    """An issuer over https may name keys over http, and who gives those can log in as anybody."""
    discovery = {"issuer": issuer.url, "jwks_uri": elsewhere(issuer)}
    issuer.documents["/realm/.well-known/openid-configuration"] = discovery
    jwks_url = "" if is_discovered else elsewhere(issuer)

    with pytest.raises(IssuerUnavailableError, match="TOKEN_JWT_TRUST_PLAIN_HTTP=1 allows it"):
        fetch_issuer_keys(issuer.url, jwks_url)

    assert "/realm/keys" not in issuer.asked
    (key,) = fetch_issuer_keys(issuer.url, jwks_url, trusts_http=True)
    assert "first" == key.key_id


def test_keys_that_may_not_come_over_http_are_told_by_the_setting(
    issuer: Issuer, keys: IssuerKeys
) -> None:
    """The doctor reads what callers are told, and no log."""
    discovery = {"issuer": issuer.url, "jwks_uri": elsewhere(issuer)}
    issuer.documents["/realm/.well-known/openid-configuration"] = discovery

    with pytest.raises(IssuerUnavailableError, match=r"https, .* TOKEN_JWT_TRUST_PLAIN_HTTP=1"):
        keys.find("first", "RS256")


def test_a_redirect_is_not_followed_over_http_either(issuer: Issuer) -> None:
    """The network is trusted, and not whoever answers in it."""
    issuer.redirects["/realm/keys"] = elsewhere(issuer, "/elsewhere")

    with pytest.raises(IssuerUnavailableError, match="HTTP 302"):
        fetch_issuer_keys(issuer.url, elsewhere(issuer), trusts_http=True)

    assert ["/realm/keys"] == issuer.asked


@pytest.mark.parametrize("url", ["file:///etc/hostname", "keys", "https://", "http://[::1"])
def test_what_is_no_web_address_is_no_answer(url: str) -> None:
    """Discovery may name anything."""
    with pytest.raises(IssuerUnavailableError):
        fetch_issuer_keys("https://issuer.example", url)
