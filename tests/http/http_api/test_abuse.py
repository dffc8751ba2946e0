"""What strangers send: bad requests as `make bench` makes them, and what Hypothesis makes up."""

import base64
import json

import hypothesis
import jwt
import pytest
from flask.testing import FlaskClient
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bench.bad_requests import BadRequests
from tests.fakes import FakeLiveKit
from tests.http.clients import client_for, error_of
from tests.issuer import Issuer
from tests.processes import API_KEY, API_SECRET
from tests.recording_keeper import RecordingKeeper
from tests.webhook_signing import joined, sign
from token_server.auth.operators import Operators
from token_server.errors import UnauthenticatedError

BAD = BadRequests(port=0, caller_key="a-made-up-caller-key")


@pytest.fixture
def strict(rooms: FakeLiveKit, keeper: RecordingKeeper) -> FlaskClient:
    """A client of an application that wants a key."""
    return client_for(rooms, keeper, TOKEN_AUTH="key", TOKEN_KEYS=BAD.caller_key)


def send(client: FlaskClient, request: bytes) -> TestResponse:
    """Send the bytes of a request as werkzeug's client would."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return client.open(path, method=method, headers=headers, data=body)


def test_every_bad_request_is_refused_and_leads_to_nothing(
    strict: FlaskClient, rooms: FakeLiveKit, keeper: RecordingKeeper
) -> None:
    """No token, no room, no look; and an error that says why."""
    for number in range(1_000):
        request = BAD.request(number)
        status, _, msg = error_of(send(strict, request))
        assert 400 <= status < 500, request
        assert BAD.caller_key not in msg

    assert ([], []) == (rooms.calls, keeper.followed)


def test_they_are_bad_in_many_ways() -> None:
    """A generator that makes one kind only would prove nothing."""
    requests = {BAD.request(number) for number in range(1_000)}

    assert len(requests) > 600
    for start in (b"POST /token", b"GET /token?", b"POST /webhook"):
        assert any(request.startswith(start) for request in requests)


ANYTHING = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
NAMES = st.sampled_from(["alg", "kid", "typ", "crit", "b64", "iss", "aud", "sub", "exp", "sha256"])
ALGORITHMS = st.sampled_from(["none", "HS256", "RS256", "ES256", "EdDSA", "PS256", ""])
JWT_HEADERS = st.dictionaries(NAMES, VALUES) | st.fixed_dictionaries(
    {"alg": ALGORITHMS}, optional={"kid": st.just("first") | VALUES, "crit": VALUES, "b64": VALUES}
)
CLAIMS = st.dictionaries(NAMES | st.sampled_from(["nbf", "iat", "name", "jti"]), VALUES, max_size=4)


def encode(content: bytes) -> str:
    """Write bytes as a JWT does."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def part(content: object) -> str:
    """Write one part of a JWT."""
    return encode(json.dumps(content).encode())


FORGED = st.builds(
    lambda header, claims, signature: f"{part(header)}.{part(claims)}.{signature}",
    JWT_HEADERS,
    CLAIMS | VALUES,
    st.sampled_from(["", "e30", sign(joined()).split(".")[2]]) | st.binary(max_size=64).map(encode),
)
PIECES = ["Bearer", "bearer", "Basic", " ", " ", "\t", ",", "=", "sha256:", BAD.caller_key]
HEADERS = ANYTHING | st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | FORGED
whatever = hypothesis.settings(max_examples=150, deadline=None)


def test_whatever_is_in_authorization_only_the_key_opens() -> None:
    """To /token, and to what is for operators."""
    rooms = FakeLiveKit()
    client = client_for(rooms, None, TOKEN_AUTH="key", TOKEN_KEYS=BAD.caller_key)
    operators = Operators([BAD.caller_key], is_demo=True)

    @hypothesis.given(header=HEADERS)
    @whatever
    def see_that_both_agree(header: str) -> None:
        rooms.calls.clear()
        try:
            operators.check({"Authorization": header}, "127.0.0.1")
            status = 201
        except UnauthenticatedError:
            status = 401

        answer = client.post("/token", headers={"Authorization": header})

        assert (status, status == 201) == (answer.status_code, bool(rooms.calls))
        if status == 201:
            assert ("bearer", BAD.caller_key) == (header.lower()[:6], header[6:].strip())

    see_that_both_agree()


@pytest.mark.parametrize("other_keys", ["", f"otherkey:{API_SECRET[::-1]}"], ids=["one", "two"])
def test_whatever_signs_a_webhook_only_livekits_key_does(other_keys: str) -> None:
    """With one key, and while two are good and the token says which."""
    keeper = RecordingKeeper()
    client = client_for(None, keeper, LIVEKIT_WEBHOOK_KEYS=other_keys)

    @hypothesis.given(token=FORGED | ANYTHING, body=st.just(joined()) | st.binary())
    @whatever
    def see_that_forgeries_are_refused(token: str, body: bytes) -> None:
        answer = client.post("/webhook", data=body, headers={"Authorization": token})

        assert (401, (0, [])) == (answer.status_code, keeper.heard)

    see_that_forgeries_are_refused()


def test_whatever_livekits_key_signs_is_taken_or_refused() -> None:
    """Also numbers that are none: whoever holds the key may have a bug."""
    client = client_for()

    @hypothesis.given(claims=CLAIMS)
    @whatever
    def see_that_any_claims_are_no_accident(claims: dict[str, object]) -> None:
        signed = json.dumps({"iss": API_KEY} | claims).encode()
        token = jwt.PyJWS().encode(signed, API_SECRET, "HS256")

        answer = client.post("/webhook", data=joined(), headers={"Authorization": token})

        assert answer.status_code in {200, 401}

    see_that_any_claims_are_no_accident()


def test_whatever_is_a_login_token_is_taken_or_refused() -> None:
    """Forged in any way: refused. Signed by the issuer, with any claims: that, or a token."""
    with Issuer() as issuer:
        client = client_for(
            None,
            None,
            TOKEN_AUTH="jwt",
            TOKEN_JWT_ISSUER=issuer.url,
            TOKEN_JWT_AUDIENCE="my-app",
        )

        def ask(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return client.post("/token", headers=headers).status_code

        @hypothesis.given(token=FORGED | ANYTHING)
        @whatever
        def see_that_forgeries_are_refused(token: str) -> None:
            assert 401 == ask(token)

        @hypothesis.given(claims=CLAIMS)
        @whatever
        def see_that_any_claims_are_no_accident(claims: dict[str, object]) -> None:
            assert ask(issuer.sign(**claims)) in {201, 401}

        assert 201 == ask(issuer.sign())
        see_that_forgeries_are_refused()
        see_that_any_claims_are_no_accident()
