"""What the Procfile's web process says and survives when it starts."""

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from shared_settings.token_server_url import running_server_url
from tests import plain_http
from tests.processes import Process, clean_environ, free_port, start_from_procfile, wait_until
from token_server.state.shared_folder import find_shared_folder
from token_server.temporary_folders import MEMORY

URL, KEY = "ws://127.0.0.1:9", "devkey"
SECRET, OPERATOR = "MaRkEr-short-secret", "MaRkEr-key"
ONE = {"WEB_CONCURRENCY": "1"}


def environ(folder: Path, **changes: str) -> dict[str, str]:
    """The environment of a web process with a folder for temporary files of its own."""
    return clean_environ() | {
        "LIVEKIT_URL": URL,
        "LIVEKIT_API_KEY": KEY,
        "LIVEKIT_API_SECRET": "x" * 32,
        "LIVEKIT_AGENT_NAME": "voice-agent",
        "TOKEN_AUTH": "none",
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "TMPDIR": str(folder),
        **changes,
    }


@contextmanager
def web(settings: dict[str, str], log: Path) -> Iterator[Process]:
    """Start it, and wait until all of its processes have, and one answers."""
    count = int(settings.get("WEB_CONCURRENCY", "2"))
    url = f"{running_server_url('', settings['PORT'], settings['HOST'])}/healthz"
    with start_from_procfile("web", settings, log) as process:
        wait_until(
            lambda: process.output().count("Booting worker") == count and plain_http.is_ok(url),
            within=60,
            what="web answers",
        )
        yield process


def warnings(process: Process) -> list[str]:
    """The lines of its log that warn, before it listens: no LiveKit is there later."""
    before, _, _ = process.output().partition("Listening at")
    return [line for line in before.splitlines() if "[warning]" in line]


def test_weak_secrets_are_warned_of_once(tmp_path: Path) -> None:
    """Not once for each process, and never with the secret."""
    weak = {"LIVEKIT_API_SECRET": SECRET, "OPERATOR_KEY": OPERATOR, "HOST": "0.0.0.0"}  # noqa: S104
    with web(environ(tmp_path, **weak), tmp_path / "web.log") as process:
        process.wait_for_output("Rooms cannot be looked at")  # a token has been signed
        said = warnings(process)

    assert "InsecureKeyLengthWarning" not in process.output()
    assert 3 == len(said)
    for line, name in zip(said, ("LIVEKIT_API_SECRET", "OPERATOR_KEY", "TOKEN_AUTH"), strict=True):
        assert (True, False) == (name in line, "MaRkEr" in line)


@pytest.mark.parametrize(
    "which", ["parent", "folder", "redis-silence.lock", "webhook-seen", "timeline.sqlite"]
)
def test_a_named_pipe_in_the_way_is_told_of_and_the_processes_meet_elsewhere(
    tmp_path: Path, which: str
) -> None:
    """To open one may take for ever; and nothing is turned off in silence."""
    usual = find_shared_folder(URL, KEY, lambda: [tmp_path]).path
    place = {"parent": usual.parent, "folder": usual}.get(which, usual / which)
    if place != usual / which:
        usual.rmdir()
    if which == "parent":
        usual.parent.rmdir()
    os.mkfifo(place)

    # Whoever may say that Redis is silent holds a lock there.
    settings = environ(tmp_path, REDIS_URL="redis://127.0.0.1:9")
    with web(settings, tmp_path / "web.log") as process:
        (line,) = warnings(process)
        meeting = find_shared_folder(URL, KEY, lambda: [tmp_path]).path
        wait_until((meeting / "redis-silence.lock").exists, within=30, what="they meet")

    assert (True, True) == (str(place) in line, str(meeting) in line)


def test_a_named_pipe_in_memory_does_not_hold_the_start_up(tmp_path: Path) -> None:
    """Where the processes count together, what a killed one has left is looked at."""
    left = MEMORY / f"livekit-token-server-metrics-{os.getuid()}-test-{os.getpid()}"
    os.mkfifo(left)
    try:
        with web(environ(tmp_path, **ONE), tmp_path / "web.log") as process:
            assert [] == warnings(process)
    finally:
        left.unlink()


def test_a_path_with_slashes_too_many_is_not_found(tmp_path: Path) -> None:
    """It is a mistake to be told of, not to be guessed or redirected with a key in hand."""
    settings = environ(tmp_path, **ONE)
    found = {}
    with (
        web(settings, tmp_path / "web.log"),
        closing(HTTPConnection("127.0.0.1", int(settings["PORT"]), timeout=10)) as connection,
    ):
        for path in ("//token", "///token", "//webhook", "///webhook", "/token/", "//"):
            connection.request("POST", path, "{}", {"Content-Type": "application/json"})
            answer = connection.getresponse()
            found[path] = answer.status, json.loads(answer.read())["code"]

    assert {(404, "not_found")} == set(found.values()), found


def test_a_host_of_ipv6_and_ipv4_is_listened_on(tmp_path: Path) -> None:
    """Some platforms route over IPv6 alone; what asks from this machine may still use IPv4.

    Who does so is of this machine: without a key only they may see the metrics of a demo.
    """
    settings = environ(tmp_path, HOST="::", DEMO="1", **ONE)
    with web(settings, tmp_path / "web.log") as process:
        over_ipv4 = plain_http.get(f"http://127.0.0.1:{settings['PORT']}/metrics")

    assert 200 == over_ipv4.status
    assert f"Listening at: http://[::]:{settings['PORT']}" in process.output()


def test_a_host_of_another_machine_is_told_at_once_by_its_setting(tmp_path: Path) -> None:
    """It would try for five seconds, and names an address that may stand nowhere."""
    settings = environ(tmp_path, HOST="192.0.2.1")
    with start_from_procfile("web", settings, tmp_path / "web.log") as process:
        wait_until(lambda: process.popen.poll() is not None, within=30, what="it gives up")

    assert "HOST must be an address of this machine" in process.output()
    assert "Booting worker" not in process.output()
