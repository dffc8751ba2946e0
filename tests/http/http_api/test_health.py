"""/healthz and /readyz."""

import logging
import tempfile
import time
from pathlib import Path

import pytest
from livekit.protocol import models
from livekit.protocol.room import ListRoomsResponse

from tests.certificates import write_certificate
from tests.environ import settings
from tests.exposition import series
from tests.fakes import FakeLiveKit
from tests.http.clients import client_for, error_of, failing_client
from tests.processes import free_port
from tests.recording_keeper import RecordingKeeper
from tests.redis_server import RedisServer
from tests.twirp_server import TwirpServer, answer
from token_server.composition import compose
from token_server.errors import LiveKitBusyError, LiveKitRefusedKeyError

REFUSED = (
    "Redis' certificate is refused (self-signed certificate): set REDIS_TLS_VERIFY=0 to go without"
    " verification, or ssl_ca_certs in REDIS_URL to the file of who has signed it"
)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_healthy_server_says_so(path: str) -> None:
    """What a platform polls."""
    assert 200 == client_for().get(path).status_code


def test_alive_means_alive_with_livekit_down() -> None:
    """Or a platform would restart us again and again for LiveKit's trouble."""
    rooms = FakeLiveKit()
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
    rooms = FakeLiveKit()
    rooms.is_down = True

    status, code, _ = error_of(client_for(rooms).get("/readyz"))

    assert (503, "unavailable") == (status, code)


def test_not_being_ready_is_not_logged_at_each_poll(caplog: pytest.LogCaptureFixture) -> None:
    """A platform asks every few seconds; the keeper says once that LiveKit does not answer."""
    caplog.set_level(logging.INFO)
    rooms = FakeLiveKit()
    rooms.is_down = True

    client_for(rooms).get("/readyz")

    assert [] == caplog.records


def test_ready_means_livekit_accepts_our_key() -> None:
    """The one thing that a wrong deployment gets wrong most often."""
    status, code, _ = error_of(failing_client(LiveKitRefusedKeyError("x")).get("/readyz"))

    assert (500, "internal") == (status, code)


def test_a_livekit_that_has_had_too_many_requests_does_not_make_us_unready() -> None:
    """All processes would be taken out of the balancer at once, and the quota be no larger."""
    answer = failing_client(LiveKitBusyError("x")).get("/readyz")

    assert (200, {"status": "ready", "livekit": "limited"}) == (answer.status_code, answer.json)


def test_a_quota_is_not_spent_on_asking_whether_we_are_ready() -> None:
    """Platforms ask each process every few seconds."""
    rooms = FakeLiveKit()
    client = client_for(rooms, LIVEKIT_REQUESTS_PER_MINUTE="900")
    client.get("/readyz")
    time.sleep(1.05)

    client.get("/readyz")

    assert ["list_rooms"] == rooms.calls


def test_without_redis_we_are_ready_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything goes on; whoever sets REDIS_URL sees in the body and in a metric that it fails."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    redis_url = f"redis://127.0.0.1:{free_port()}"
    made = models.Room(name="kitchen", sid="RM_1")
    with TwirpServer(answer(ListRoomsResponse()), answer(made)) as livekit:
        changes = {"LIVEKIT_URL": livekit.url, "REDIS_URL": redis_url, "OPERATOR_KEY": "one"}
        client = compose(settings(**changes)).app.test_client()
        ready = client.get("/readyz")
        others = [client.get("/healthz").status_code, client.post("/token").status_code]
    shown = series(client.get("/metrics", headers={"Authorization": "Bearer one"}).text)

    assert (200, {"status": "ready", "redis": "unavailable"}) == (ready.status_code, ready.json)
    assert ([200, 201], 1) == (others, shown["redis_unavailable"])


@pytest.mark.parametrize(
    ("setting", "ready"),
    [
        ({}, {"redis": "unavailable", "msg": REFUSED}),
        ({"REDIS_TLS_VERIFY": "0"}, {"redis": "ready"}),
    ],
    ids=["verified", "not verified"],
)
def test_a_redis_whose_certificate_nobody_signed_is_used_where_the_setting_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    setting: dict[str, str],
    ready: dict[str, str],
) -> None:
    """And told by its name where not: the platform's own page shows nothing else."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    certificate = write_certificate(tmp_path / "redis.pem")
    with (
        RedisServer(tmp_path, password="of-the-owner", certificate=certificate) as redis,
        TwirpServer(answer(ListRoomsResponse())) as livekit,
    ):
        changes = {"LIVEKIT_URL": livekit.url, "REDIS_URL": redis.url} | setting
        found = compose(settings(**changes)).app.test_client().get("/readyz")

    assert (200, {"status": "ready"} | ready) == (found.status_code, found.json)


def test_livekit_is_asked_once_however_often_we_are() -> None:
    """Anybody may ask /readyz, and as often as they like; a second is longer than this takes."""
    rooms = FakeLiveKit()
    client = client_for(rooms)
    started = time.monotonic()

    statuses = {client.get("/readyz").status_code for _ in range(100)}

    assert {200} == statuses
    assert len(rooms.calls) <= 1 + (time.monotonic() - started)


def test_a_livekit_that_is_down_is_asked_no_more_often() -> None:
    """It has trouble enough."""
    rooms = FakeLiveKit()
    rooms.is_down = True
    client = client_for(rooms)
    started = time.monotonic()

    statuses = {client.get("/readyz").status_code for _ in range(100)}

    assert {503} == statuses
    assert len(rooms.calls) <= 1 + (time.monotonic() - started)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_needs_no_key(path: str) -> None:
    """Platforms cannot send one."""
    client = client_for(TOKEN_AUTH="key", TOKEN_KEYS="k")

    assert 200 == client.get(path).status_code
