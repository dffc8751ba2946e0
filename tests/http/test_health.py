"""/healthz and /readyz."""

import pytest

from tests.fakes import FakeRooms
from tests.http.clients import client_for, error_of, failing_client
from token_server.errors import LiveKitRefusedKeyError


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


def test_ready_means_livekit_answers() -> None:
    """A balancer sends callers elsewhere meanwhile."""
    rooms = FakeRooms()
    rooms.is_down = True

    status, code, _ = error_of(client_for(rooms).get("/readyz"))

    assert (503, "unavailable") == (status, code)


def test_ready_means_livekit_accepts_our_key() -> None:
    """The one thing that a wrong deployment gets wrong most often."""
    status, code, _ = error_of(failing_client(LiveKitRefusedKeyError("x")).get("/readyz"))

    assert (500, "internal") == (status, code)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_needs_no_key(path: str) -> None:
    """Platforms cannot send one."""
    client = client_for(TOKEN_AUTH="key", TOKEN_KEYS="k")

    assert 200 == client.get(path).status_code
