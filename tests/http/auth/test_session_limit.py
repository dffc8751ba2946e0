"""SESSIONS_PER_CALLER, as callers meet it."""

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeLiveKit
from tests.http.clients import FailingLiveKit, client_for, error_of
from tests.issuer import Issuer
from token_server.errors import LiveKitUnavailableError


class DeafLiveKit(FakeLiveKit):
    """Makes rooms, and does not say which there are."""

    def _call(self, name: str) -> None:
        super()._call(name)
        if name == "list_rooms":
            raise LiveKitUnavailableError("LiveKit did not answer")


def ask(client: FlaskClient, room_name: str = "", address: str = "192.0.2.1", **more: str) -> int:
    """Ask for a token for a room; `participant_identity` or a header may be given too."""
    body = {"room_name": room_name} if room_name else {}
    if identity := more.pop("participant_identity", ""):
        body["participant_identity"] = identity
    environ = {"REMOTE_ADDR": address}
    return client.post("/token", json=body, headers=more, environ_overrides=environ).status_code


@pytest.fixture
def two(rooms: FakeLiveKit) -> FlaskClient:
    """A client of an application where each address may have two live rooms."""
    return client_for(rooms, None, SESSIONS_PER_CALLER="2")


def test_who_has_as_many_live_rooms_as_they_may_gets_no_further_one(
    two: FlaskClient, rooms: FakeLiveKit
) -> None:
    """Else one caller takes every place that workers have, and keeps it."""
    assert [201, 201] == [ask(two), ask(two)]

    answer = two.post("/token", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})

    status, code, msg = error_of(answer)
    assert (429, "resource_exhausted", 2) == (status, code, len(rooms.rooms))
    assert "too many live rooms of one address: SESSIONS_PER_CALLER is 2" == msg
    assert "20" == answer.headers["Retry-After"]


def test_others_have_rooms_of_their_own(two: FlaskClient) -> None:
    """Each address has as many."""
    assert [201, 201, 429] == [ask(two) for _ in range(3)]
    assert 201 == ask(two, address="192.0.2.2")


def test_the_same_room_again_is_no_further_one(two: FlaskClient) -> None:
    """A reload, a second device."""
    names = ["kitchen", "hall", "kitchen", "hall", "attic", "kitchen"]

    assert [201, 201, 201, 201, 429, 201] == [ask(two, name) for name in names]


def test_a_room_that_has_ended_does_not_count(two: FlaskClient, rooms: FakeLiveKit) -> None:
    """The next call is let in at once."""
    assert [201, 201, 429] == [ask(two, name) for name in ("kitchen", "hall", "attic")]

    rooms.end_room("kitchen")

    assert [201, 429] == [ask(two, name) for name in ("attic", "kitchen")]


def test_a_room_that_could_not_be_made_does_not_count() -> None:
    """Whoever got 503 tries again, and with another name."""
    livekit = FakeLiveKit()
    client = client_for(livekit, None, SESSIONS_PER_CALLER="1", ROOM_NAMES="call-*")
    livekit.is_down = True
    failed = [ask(client, "call-1"), ask(client, "hall")]
    livekit.is_down = False

    assert [503, 403, 201] == [*failed, ask(client, "call-2")]


@pytest.mark.parametrize("livekit", [DeafLiveKit()], ids=["ListRooms has no answer"])
def test_not_knowing_which_rooms_live_is_no_reason_to_refuse(livekit: FakeLiveKit) -> None:
    """LiveKit's troubles are not the caller's fault."""
    client = client_for(livekit, None, SESSIONS_PER_CALLER="1")

    assert [201, 201, 201] == [ask(client) for _ in range(3)]


def test_livekit_is_asked_by_nobody_who_is_far_from_the_limit(rooms: FakeLiveKit) -> None:
    """A token costs the one call that it costs without a limit."""
    client = client_for(rooms, None, SESSIONS_PER_CALLER="3")
    for name in ("a", "b", "c", "a", "b", "c"):
        ask(client, name)

    assert ["create_room"] * 6 == rooms.calls


def test_off_means_off(rooms: FakeLiveKit) -> None:
    """It is the default."""
    client = client_for(rooms)

    assert [201] * 50 == [ask(client) for _ in range(50)]


def test_a_backends_end_users_are_counted_each() -> None:
    """The backend itself has as many as its users have; without a name nobody is counted."""
    client = client_for(None, None, SESSIONS_PER_CALLER="1", TOKEN_AUTH="key", TOKEN_KEYS="k")
    users = ["alice", "bob", "alice", "", ""]

    statuses = [ask(client, Authorization="Bearer k", participant_identity=user) for user in users]

    assert [201, 201, 429, 201, 201] == statuses


def test_a_login_is_counted_wherever_it_is_used(issuer: Issuer) -> None:
    """Another address is not another person."""
    client = client_for(
        None,
        None,
        SESSIONS_PER_CALLER="1",
        TOKEN_AUTH="jwt",
        TOKEN_JWT_ISSUER=issuer.url,
        TOKEN_JWT_AUDIENCE="my-app",
    )
    logins = [issuer.sign(), issuer.sign(), issuer.sign(sub="bob")]

    statuses = [
        ask(client, address=f"192.0.2.{number}", Authorization=f"Bearer {login}")
        for number, login in enumerate(logins)
    ]

    assert [201, 429, 201] == statuses


def test_a_livekit_that_is_down_is_told_as_ever() -> None:
    """503, and not 429."""
    client = client_for(
        FailingLiveKit(LiveKitUnavailableError("away")), None, SESSIONS_PER_CALLER="1"
    )

    assert [503, 503] == [ask(client), ask(client)]
