"""POST /webhook, as LiveKit and as others send it."""

import json
from datetime import timedelta

import hypothesis
import pytest
from flask.testing import FlaskClient
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.http.clients import client_for, error_of
from tests.processes import API_SECRET
from tests.recording_keeper import RecordingKeeper
from tests.webhook_signing import joined, sign
from token_server.livekit import signed_bodies

HEADER_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
whatever = hypothesis.settings(max_examples=60, deadline=None)


def post(client: FlaskClient, body: bytes, authorization: str) -> TestResponse:
    """Deliver a webhook with LiveKit's content type."""
    return client.post(
        "/webhook",
        data=body,
        headers={"Authorization": authorization},
        content_type="application/webhook+json",
    )


def test_a_genuine_webhook_is_passed_on(client: FlaskClient, keeper: RecordingKeeper) -> None:
    """The fast path to an agent."""
    answer = post(client, joined(), sign(joined()))

    assert (200, (1, ["kitchen"])) == (answer.status_code, keeper.heard)


def test_a_webhook_needs_no_caller_key(keeper: RecordingKeeper) -> None:
    """LiveKit has its signature, and no key of ours."""
    client = client_for(None, keeper, TOKEN_AUTH="key", TOKEN_KEYS="k")

    assert (200, 1) == (post(client, joined(), sign(joined())).status_code, keeper.webhooks)


def test_a_webhook_delivered_twice_is_welcome_twice(
    client: FlaskClient, keeper: RecordingKeeper
) -> None:
    """LiveKit repeats; to look once more costs little, and nothing is counted."""
    answers = [post(client, joined(), sign(joined())).status_code for _ in range(2)]

    assert ([200, 200], (2, ["kitchen", "kitchen"])) == (answers, keeper.heard)


def test_a_forged_webhook_is_looked_at_once(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of them costs little: Flask only says what has been found before."""
    verified = []

    def verify(unverified_token: str, *_: object, **__: object) -> dict[str, str]:
        verified.append(unverified_token)
        return {}

    monkeypatch.setattr(signed_bodies, "verify", verify)
    signature = sign(joined())

    assert (401, [signature]) == (post(client, joined(), signature).status_code, verified)


def test_a_webhook_over_the_limit_of_token_bodies_is_read(
    client: FlaskClient, keeper: RecordingKeeper
) -> None:
    """A participant's metadata may be 512 KiB long."""
    body = joined(participant={"identity": "alice", "metadata": "x" * 512 * 1024})

    assert (200, 1) == (post(client, body, sign(body)).status_code, len(keeper.changed))


def test_a_webhook_over_its_own_limit_is_refused(
    client: FlaskClient, keeper: RecordingKeeper
) -> None:
    """413 is not repeated, and nobody fills our memory."""
    body = joined(padding="x" * 2 * 1024 * 1024)

    status, code, _ = error_of(post(client, body, sign(body)))

    assert (413, "invalid_argument", 0) == (status, code, keeper.webhooks)


def test_a_body_changed_by_one_byte_is_refused(
    client: FlaskClient, keeper: RecordingKeeper
) -> None:
    """The signature is over the raw bytes (livekit-behaviour 52); LiveKit does not repeat a 401."""
    changed = joined().replace(b"kitchen", b"kitcheN")

    status, code, msg = error_of(post(client, changed, sign(joined())))

    assert (401, "unauthenticated", True) == (status, code, msg.startswith("Authorization"))
    assert (0, []) == keeper.heard


def test_a_join_token_is_no_signature(client: FlaskClient, keeper: RecordingKeeper) -> None:
    """Every caller of /token has one, and it is signed with the same secret."""
    token = client.post("/token").get_json()["participant_token"]

    assert (401, (0, [])) == (post(client, joined(), token).status_code, keeper.heard)


# These are signed when the tests are collected, and looked at minutes later.
AN_HOUR = timedelta(hours=1)
UNSIGNED = {
    "nothing": "",
    "no JWT": "garbage",
    "only the scheme": "Bearer ",
    "three dots": "a.b.c",
    "no ASCII": "é.ÿ.\xa0",
    "wrong secret": sign(joined(), secret=API_SECRET[::-1], ttl=AN_HOUR),
    "expired": sign(joined(), ttl=timedelta(minutes=-5)),
    "another body": sign(b"{}", ttl=AN_HOUR),
    "cut off": sign(joined(), ttl=AN_HOUR)[:-3],
}


@pytest.mark.parametrize("authorization", UNSIGNED.values(), ids=UNSIGNED.keys())
def test_what_is_not_signed_is_refused(
    client: FlaskClient, keeper: RecordingKeeper, authorization: str
) -> None:
    """Anybody can post here; a look at a room costs calls to LiveKit."""
    status, code, _ = error_of(post(client, joined(), authorization))

    assert (401, "unauthenticated", (0, [])) == (status, code, keeper.heard)


def test_a_missing_header_is_refused(client: FlaskClient, keeper: RecordingKeeper) -> None:
    """As an empty one is."""
    answer = client.post("/webhook", data=joined())

    assert (401, (0, [])) == (answer.status_code, keeper.heard)


RUBBISH = {
    "nothing": b"",
    "null": b"null",
    "a number": b"17",
    "half an object": b'{"event": "participant_joined"',
    "invalid UTF-8": b"\xff\xfe",
    "50,000 brackets": b"[" * 50_000,
    "5,000 rooms": b'{"room":' * 5_000,
    "a number as event": b'{"event": 17}',
    "a number of 5,000 digits": b'{"createdAt": ' + b"9" * 5_000 + b"}",
}


@pytest.mark.parametrize("body", RUBBISH.values(), ids=RUBBISH.keys())
def test_signed_rubbish_is_a_400(client: FlaskClient, keeper: RecordingKeeper, body: bytes) -> None:
    """LiveKit would repeat a 5xx four times, and it would be no better."""
    status, code, msg = error_of(post(client, body, sign(body)))

    assert (400, "invalid_argument", True) == (status, code, msg.startswith("body"))
    assert (0, []) == keeper.heard


@pytest.mark.parametrize("milliseconds", [2**63 - 1, -(2**63)], ids=["largest", "smallest"])
def test_a_signed_impossible_time_is_no_5xx(client: FlaskClient, milliseconds: int) -> None:
    """A repetition would not cure it either."""
    body = joined(participant={"identity": "alice", "joinedAtMs": str(milliseconds)})

    assert post(client, body, sign(body)).status_code < 500


@hypothesis.given(body=st.binary(), authorization=HEADER_TEXT)
@whatever
def test_whatever_is_sent_unsigned_is_refused(body: bytes, authorization: str) -> None:
    """Never a 5xx, and never a look at a room."""
    keeper = RecordingKeeper()

    answer = post(client_for(None, keeper), body, authorization)

    assert (401, (0, [])) == (answer.status_code, keeper.heard)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["event", "room", "name", "participant", "identity", "kind", "x"]),
            inner,
        )
    ),
    max_leaves=8,
)


@hypothesis.given(body=st.binary() | JSON.map(json.dumps).map(str.encode))
@whatever
def test_whatever_is_signed_is_taken_or_refused(body: bytes) -> None:
    """A field that a newer LiveKit sends is none of our trouble."""
    answer = post(client_for(), body, sign(body))

    assert answer.status_code in {200, 400}
