"""/healthz and /readyz."""

import logging

import pytest

from tests.environ import settings
from tests.fakes import FakeRooms
from tests.http.clients import client_for, error_of, failing_client
from tests.recording_keeper import RecordingKeeper
from token_server.app import create_app
from token_server.errors import LiveKitRefusedKeyError, RedisUnavailableError


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_healthy_server_says_so(path: str) -> None:
    """What a platform polls."""
    assert 200 == client_for().get(path).status_code


def test_alive_means_alive_with_livekit_down() -> None:
    """Or a platform would restart us again and again for LiveKit's trouble."""
    rooms = FakeRooms()
    rooms.is_down = True

    answer = client_for(rooms).get("/healthz")

    assert (200, []) == (answer.status_code, rooms.calls)


def test_a_keeper_that_is_stuck_is_not_alive() -> None:
    """Tokens would be issued and nobody attended; what restarts processes restarts this one."""
    keeper = RecordingKeeper(is_stuck=True)
    client = client_for(None, keeper)

    assert (503, "unavailable", "The keeper is stuck") == error_of(client.get("/healthz"))
    assert 201 == client.post("/token").status_code


def test_ready_means_livekit_answers() -> None:
    """A balancer sends callers elsewhere meanwhile."""
    rooms = FakeRooms()
    rooms.is_down = True

    status, code, _ = error_of(client_for(rooms).get("/readyz"))

    assert (503, "unavailable") == (status, code)


def test_not_being_ready_is_not_logged_at_each_poll(caplog: pytest.LogCaptureFixture) -> None:
    """A platform asks every few seconds; the keeper says once that LiveKit does not answer."""
    caplog.set_level(logging.INFO)
    rooms = FakeRooms()
    rooms.is_down = True

    client_for(rooms).get("/readyz")

    assert [] == caplog.records


def test_ready_means_livekit_accepts_our_key() -> None:
    """The one thing that a wrong deployment gets wrong most often."""
    status, code, _ = error_of(failing_client(LiveKitRefusedKeyError("x")).get("/readyz"))

    assert (500, "internal") == (status, code)


def test_ready_means_redis_answers_where_it_is_set() -> None:
    """Whoever sets REDIS_URL has to see when it does not work; alive is alive all the same."""

    def check_shared() -> None:
        raise RedisUnavailableError("Redis does not answer")

    app = create_app(settings(), FakeRooms(), RecordingKeeper(), check_shared=check_shared)

    client = app.test_client()

    assert (503, "unavailable", "Redis does not answer") == error_of(client.get("/readyz"))
    assert (200, 201) == (client.get("/healthz").status_code, client.post("/token").status_code)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_needs_no_key(path: str) -> None:
    """Platforms cannot send one."""
    client = client_for(TOKEN_AUTH="key", TOKEN_KEYS="k")

    assert 200 == client.get(path).status_code
