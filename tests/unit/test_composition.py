"""From an environment to a running application."""

import tempfile
from pathlib import Path

import pytest
from livekit.protocol.room import ListRoomsResponse

from shared_settings.settings import SettingsError
from tests.collector import Collector
from tests.environ import environ, settings
from tests.processes import free_port, wait_until
from tests.redis_server import RedisServer
from tests.twirp_server import TwirpServer, answer
from token_server.composition import compose
from token_server.environment import read_settings
from token_server.state.shared_folder import find_shared_folder


def env_file(folder: Path, text: str) -> str:
    """Write a `.env` and return its path."""
    path = folder / "some.env"
    path.write_text(text)
    return str(path)


def test_the_env_file_fills_in_what_the_environment_leaves_out(tmp_path: Path) -> None:
    """A developer's `.env`, with a variable changed on the command line."""
    path = env_file(tmp_path, "PORT=1234\nLIVEKIT_AGENT_NAME=from-file\n")

    found = read_settings(environ(TOKEN_SERVER_ENV_FILE=path))

    assert (1234, "voice-agent") == (found.port, found.agent_name)


def test_a_name_without_value_in_the_env_file_is_not_set(tmp_path: Path) -> None:
    """Half-written lines are common in such files."""
    path = env_file(tmp_path, "PORT\nDEMO=\n")

    assert settings() == read_settings(environ(TOKEN_SERVER_ENV_FILE=path))


def test_without_an_env_file_the_environment_is_all(tmp_path: Path) -> None:
    """Production."""
    path = str(tmp_path / "nothing.env")

    assert settings() == read_settings(environ(TOKEN_SERVER_ENV_FILE=path))


def test_problems_in_the_env_file_are_told(tmp_path: Path) -> None:
    """By the same names."""
    path = env_file(tmp_path, "PORT=x\n")

    with pytest.raises(SettingsError, match=r"^PORT must"):
        read_settings(environ(TOKEN_SERVER_ENV_FILE=path))


def test_a_composed_server_is_alive_before_livekit_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is connected while composing: the two may start in any order."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = settings(LIVEKIT_URL=f"ws://127.0.0.1:{free_port()}")

    client = compose(found).app.test_client()

    statuses = [client.get(path).status_code for path in ("/healthz", "/readyz", "/token")]
    assert [200, 503, 503] == statuses


@pytest.mark.parametrize(("seconds", "is_kept"), [("3600", True), ("0", False)])
def test_timelines_that_are_off_leave_no_file_when_the_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: str, *, is_kept: bool
) -> None:
    """Identities are in it; a dry run, which only composes, removes nothing."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = settings(LIVEKIT_URL=f"ws://127.0.0.1:{free_port()}", TIMELINE_SECONDS=seconds)
    file = find_shared_folder(found.livekit_url, found.livekit_api_key).path / "timeline.sqlite"
    file.touch()
    server = compose(found)
    is_there = [file.exists()]

    server.start()
    is_there.append(file.exists())
    server.stop()

    assert [True, is_kept] == is_there


def test_a_server_that_traces_has_delivered_when_it_has_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What led to a restart is what somebody wants to see."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = settings(LIVEKIT_URL=f"ws://127.0.0.1:{free_port()}")
    with Collector() as collector:
        for name, value in collector.environ.items():
            monkeypatch.setenv(name, value)
        server = compose(found, is_traced=True)
        server.start()

        server.app.test_client().get("/token")
        server.stop()

        assert {"token", "CreateRoom"} == {span.name for span in collector.spans}


def test_a_server_with_a_redis_meets_the_others_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis: RedisServer
) -> None:
    """REDIS_URL has to do what it says; and who stops leaves nothing behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with TwirpServer(answer(ListRoomsResponse())) as livekit:
        server = compose(settings(LIVEKIT_URL=livekit.url, REDIS_URL=redis.url))

        server.start()

        wait_until(lambda: "members" in redis.keys(), within=5, what="it is met")  # noqa: SIM118
        server.stop()
    assert "members" not in redis.keys()  # noqa: SIM118
