"""Which webhooks are passed on, and which are refused."""

import base64
import hashlib
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import jwt
import pytest
from livekit.api import AccessToken

from tests.processes import API_KEY, API_SECRET
from tests.recording_keeper import RecordingKeeper
from tests.webhook_signing import joined, sign
from token_server.errors import InvalidRequestError, UnauthenticatedError
from token_server.livekit.port import Participant, ParticipantKind
from token_server.livekit.webhooks import Webhooks


@pytest.fixture
def listener() -> RecordingKeeper:
    """Who is told."""
    return RecordingKeeper()


@pytest.fixture
def webhooks(listener: RecordingKeeper) -> Webhooks:
    """A receiver with the tests' key."""
    return Webhooks({API_KEY: API_SECRET}, listener)


def test_a_join_is_passed_on_with_its_participant(
    webhooks: Webhooks, listener: RecordingKeeper
) -> None:
    """The listener learns whom it concerns, in plain values."""
    body = joined(
        participant={
            "identity": "a",
            "sid": "PA_1",
            "joinedAtMs": "1500",
            "kind": "SIP",
            "state": "ACTIVE",
        }
    )

    webhooks.receive(lambda: body, sign(body))

    participant = Participant(
        participant_identity="a",
        participant_sid="PA_1",
        kind=ParticipantKind.HUMAN,
        joined_at=datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC),
        is_phone=True,
    )
    assert (1, [("kitchen", participant)]) == (listener.webhooks, listener.changed)


@pytest.mark.parametrize(
    "event", ["participant_joined", "participant_left", "participant_connection_aborted"]
)
def test_who_comes_or_goes_is_a_reason_to_look(
    webhooks: Webhooks, listener: RecordingKeeper, event: str
) -> None:
    """An agent that left mid call is one, too."""
    webhooks.receive(lambda: joined(event=event), sign(joined(event=event)))

    assert (1, ["kitchen"]) == listener.heard


@pytest.mark.parametrize(
    ("event", "is_here"),
    [
        ("participant_joined", [True]),
        ("participant_left", [False]),
        ("participant_connection_aborted", [False]),
    ],
)
def test_who_comes_is_told_apart_from_who_goes(
    webhooks: Webhooks, listener: RecordingKeeper, event: str, is_here: list[bool]
) -> None:
    """For the timeline."""
    webhooks.receive(lambda: joined(event=event), sign(joined(event=event)))

    assert is_here == listener.here


def test_a_track_and_a_rooms_end_are_told(webhooks: Webhooks, listener: RecordingKeeper) -> None:
    """Of a track's owner LiveKit tells identity and sid, and not that it is an agent."""
    for event in ("track_published", "room_finished"):
        body = joined(event=event, participant={"identity": "a", "sid": "PA_1"})
        webhooks.receive(partial(bytes, body), sign(body))

    ((room_name, owner),) = listener.tracks
    assert ("kitchen", "PA_1", [("kitchen", "RM_1")]) == (
        room_name,
        owner.participant_sid,
        listener.ended,
    )


NO_REASON = {
    "a started room": joined(event="room_started"),
    "a published track": joined(event="track_published"),
    "egress": joined(event="egress_started"),
    "an event yet unknown": joined(event="participant_levitated"),
    "no event": joined(event=""),
    "no room": joined(room=None),
    "a room without name": joined(room={"sid": "RM_1"}),
    "nothing at all": b"{}",
    "only unknown fields": b'{"new": {"deep": [1]}}',
}


@pytest.mark.parametrize("body", NO_REASON.values(), ids=NO_REASON.keys())
def test_what_is_no_reason_to_look_still_shows_that_webhooks_arrive(
    webhooks: Webhooks, listener: RecordingKeeper, body: bytes
) -> None:
    """Following is slow where they do (livekit-behaviour 53)."""
    webhooks.receive(lambda: body, sign(body))

    assert (1, []) == listener.heard


@pytest.mark.parametrize(
    ("participant", "kind"),
    [
        pytest.param({"kind": "AGENT"}, ParticipantKind.AGENT, id="agent"),
        pytest.param({"kind": "EGRESS"}, ParticipantKind.OTHER, id="egress"),
        pytest.param({"permission": {"hidden": True}}, ParticipantKind.OTHER, id="hidden"),
        pytest.param({"kind": 99}, ParticipantKind.OTHER, id="a kind yet unknown"),
        pytest.param(None, ParticipantKind.HUMAN, id="no participant"),
        pytest.param({"levitates": True}, ParticipantKind.HUMAN, id="an unknown field"),
    ],
)
def test_every_kind_is_passed_on_by_its_kind(
    webhooks: Webhooks,
    listener: RecordingKeeper,
    participant: dict[str, object] | None,
    kind: ParticipantKind,
) -> None:
    """The keeper chooses; a field that LiveKit adds is ignored."""
    body = joined(participant=participant)

    webhooks.receive(lambda: body, sign(body))

    assert [kind] == [found.kind for _, found in listener.changed]


def test_a_bearer_scheme_is_accepted(webhooks: Webhooks, listener: RecordingKeeper) -> None:
    """LiveKit sends none, proxies and people with curl do."""
    webhooks.receive(joined, f"Bearer {sign(joined())}")

    assert 1 == listener.webhooks


def claims(**changes: object) -> str:
    """Sign these claims with our secret, whatever they are."""
    sha256 = base64.b64encode(hashlib.sha256(joined()).digest()).decode()
    good = {"iss": API_KEY, "exp": int(time.time()) + 60, "sha256": sha256}
    wanted = {name: value for name, value in (good | changes).items() if value is not None}
    return jwt.encode(wanted, API_SECRET, "HS256")


def test_the_claims_below_are_good_but_for_their_change(webhooks: Webhooks) -> None:
    """Or the next test would prove nothing."""
    webhooks.receive(joined, claims())


BAD_CLAIMS = {
    "no hash": claims(sha256=None),
    "an empty hash": claims(sha256=""),
    "a hash that is a number": claims(sha256=17),
    "a hash that is a list": claims(sha256=["x"]),
    "a hash that is no base64": claims(sha256="é"),
    "half a hash": claims(sha256="AAAA"),
    "another issuer": claims(iss="otherkey"),
    "no issuer": claims(iss=None),
    "no expiry": claims(exp=None),
    "an expiry of letters": claims(exp="soon"),
    "not yet valid": claims(nbf=int(time.time()) + 3600),
    "no algorithm": jwt.encode({"iss": API_KEY, "exp": 2**32}, "", "none"),
}


@pytest.mark.parametrize("authorization", BAD_CLAIMS.values(), ids=BAD_CLAIMS.keys())
def test_a_signature_with_bad_claims_is_refused(
    webhooks: Webhooks, listener: RecordingKeeper, authorization: str
) -> None:
    """Whatever is wrong inside a token, one error leaves this module."""
    with pytest.raises(UnauthenticatedError):
        webhooks.receive(joined, authorization)

    assert (0, []) == listener.heard


OTHER_SECRET = "another-made-up-secret-of-more-than-thirty-two-bytes"


@pytest.fixture
def exchanging(listener: RecordingKeeper) -> Webhooks:
    """A receiver while its LiveKit is given a new key."""
    return Webhooks({API_KEY: API_SECRET, "newkey": OTHER_SECRET}, listener)


@pytest.mark.parametrize(("key", "secret"), [(API_KEY, API_SECRET), ("newkey", OTHER_SECRET)])
def test_while_keys_are_exchanged_both_sign(
    exchanging: Webhooks, listener: RecordingKeeper, key: str, secret: str
) -> None:
    """No webhook is lost on the way from one to the other."""
    sha256 = base64.b64encode(hashlib.sha256(joined()).digest()).decode()
    authorization = AccessToken(key, secret).with_sha256(sha256).to_jwt()

    exchanging.receive(joined, authorization)

    assert 1 == listener.webhooks


@pytest.mark.parametrize("authorization", [*BAD_CLAIMS.values(), claims(iss="newkey"), "", "x.y.z"])
def test_with_two_keys_nothing_else_is_good(exchanging: Webhooks, authorization: str) -> None:
    """Each key is good with its own secret only."""
    with pytest.raises(UnauthenticatedError):
        exchanging.receive(joined, authorization)


def test_a_signature_expires(webhooks: Webhooks) -> None:
    """An old webhook that somebody has recorded cannot be played again for ever."""
    old = sign(joined(), ttl=timedelta(minutes=-2))

    with pytest.raises(UnauthenticatedError):
        webhooks.receive(joined, old)


def test_a_refusal_does_not_repeat_what_was_sent(webhooks: Webhooks) -> None:
    """A webhook's body has the metadata of humans."""
    body = b'{"event": "MaRkEr", "MaRkEr"}'

    with pytest.raises(InvalidRequestError) as caught:
        webhooks.receive(lambda: body, sign(body))

    assert "MaRkEr" not in str(caught.value)


@pytest.mark.parametrize("authorization", ["", "Bearer x", "no.jwt.at.all"])
def test_a_body_of_a_stranger_is_not_read(webhooks: Webhooks, authorization: str) -> None:
    """Up to 2 MiB of it, for as long as they like to take."""

    def read() -> bytes:
        raise AssertionError

    with pytest.raises(UnauthenticatedError):
        webhooks.receive(read, authorization)
