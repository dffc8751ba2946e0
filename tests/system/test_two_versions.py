"""An old and a new checkout side by side on one machine, as in every upgrade."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.plain_http import Client
from tests.processes import PLAINLY, ROOT, Process, free_port, procfile, wait_until
from tests.redis_server import RedisServer
from tests.system.conftest import Deploy
from tests.system.deployment import OPERATOR_KEY, SOON, Deployment

pytestmark = pytest.mark.live

SETTINGS = {"OPERATOR_KEY": OPERATOR_KEY, "WEB_CONCURRENCY": "1"}
KEY = {"Authorization": f"Bearer {OPERATOR_KEY}"}
# What a later version may have more: by file, a place and what stands there then.
LATER = {
    "tokens/tickets.py": {
        """        if ticket.traceparent:
            fields.append(ticket.traceparent)
""": '        fields += [ticket.traceparent, "of a later version"]\n',
    },
    "state/timeline.py": {
        '    ROOM_ENDED = "room_ended"\n': """    ROOM_ENDED = "room_ended"
    ROOM_BLESSED = "room_blessed"
""",
        "    outcome: str\n": "    outcome: str\n    mood: str\n",
        "        self._add(Entry(room_name, when, event, subject, facts, self._process))\n": (
            """        facts["mood"] = "later"
        for each in (event, Event.ROOM_BLESSED):
            self._add(Entry(room_name, when, each, subject, facts, self._process))
"""
        ),
    },
    "state/timeline_file.py": {
        '    "written_at": "REAL",\n': '    "written_at": "REAL",\n    "weather": "TEXT",\n',
        "PRAGMA synchronous=OFF;": "PRAGMA synchronous=OFF; PRAGMA user_version=2;",
    },
    "state/timeline_redis.py": {"json.dumps([now, *row])": 'json.dumps([now, *row, "later"])'},
}


def check_out_later(folder: Path) -> None:
    """Make a checkout of a later version."""
    ignore = shutil.ignore_patterns("__pycache__", "page")
    for package in ("token_server", "shared_settings"):
        shutil.copytree(ROOT / package, folder / package, ignore=ignore)
    for name, changes in LATER.items():
        path = folder / "token_server" / name
        text = path.read_text()
        for place, then in changes.items():
            assert 1 == text.count(place), f"{name} has no such place: {place}"
            text = text.replace(place, then)
        path.write_text(text)


class Later:
    """The web process of the later version, beside a deployment's own."""

    def __init__(self, running: Deployment, settings: dict[str, str], folder: Path) -> None:
        check_out_later(folder)
        port = free_port()
        more = {"PORT": str(port), "PYTHONPATH": str(folder)}
        environ = running.livekit.environ() | settings | more
        command = ["/bin/sh", "-c", PLAINLY.format(procfile()["web"])]
        self.process = Process(command, environ, folder / "later.log", folder=folder)
        self.http = Client(f"http://127.0.0.1:{port}", timeout=15)

    def wait_until_alive(self) -> None:
        """Wait until it answers."""
        is_alive = partial(self.http.is_ok, "/healthz")
        wait_until(is_alive, within=20, what="the later version answers")

    def stop(self) -> None:
        """Stop it."""
        self.http.close()
        self.process.stop()


@pytest.fixture(params=["machine", "redis"])
def settings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """What both start with: they share a machine, or a Redis too."""
    if request.param == "machine":
        yield SETTINGS
        return
    with RedisServer(tmp_path_factory.mktemp("redis")) as redis:
        yield SETTINGS | {"REDIS_URL": redis.url}


@pytest.fixture
def running(redeploy: Deploy, settings: dict[str, str]) -> Deployment:
    """This version, to which LiveKit's webhooks go."""
    return redeploy(**settings)


@pytest.fixture
def later(running: Deployment, settings: dict[str, str], tmp_path: Path) -> Iterator[Later]:
    """The later version beside it."""
    started = Later(running, settings, tmp_path)
    started.wait_until_alive()
    yield started
    started.stop()


def token(http: Client, room_name: str) -> str:
    """Fetch a token from one of the two."""
    return str(http.post("/token", json={"room_name": room_name}).json()["participant_token"])


def timeline(http: Client, room_name: str) -> list[dict[str, Any]]:
    """Return what one of the two shows of a room."""
    answer = http.get(f"/rooms/{room_name}", headers=KEY)
    assert 200 == answer.status, answer.data
    return list(answer.json()["timeline"])


def events(entries: list[dict[str, Any]]) -> set[str]:
    """Return which events these are."""
    return {entry["event"] for entry in entries}


def _knows(http: Client, room_name: str) -> bool:
    known = {"room_ready", "token_issued", "joined", "agent_joined", "dispatched"}
    return known <= events(timeline(http, room_name))


def test_two_versions_look_after_each_others_rooms(
    running: Deployment, later: Later, room_name: str
) -> None:
    """A rolling deploy, with calls in it: each does and shows what it knows."""
    ours, theirs = f"{room_name}-ours", f"{room_name}-theirs"
    tokens = [token(later.http, theirs), token(running.http, ours)]

    running.enter(tokens[0])
    running.wait_for_one_agent(theirs)
    both = (running.http, later.http)
    wait_until(lambda: all(_knows(http, theirs) for http in both), within=SOON, what="both know")
    shown = [timeline(http, theirs) for http in both]
    running.web.stop()
    running.enter(tokens[1])
    running.wait_for_one_agent(ours, within=2 * SOON)

    here, there = ("room_blessed" in events(entries) for entries in shown)
    assert (False, True) == (here, there)
    assert (False, True) == tuple(any("mood" in entry for entry in each) for each in shown)
    assert {"room_ready", "token_issued"} <= events(timeline(later.http, ours))
    logs = running.web.output() + later.process.output()
    assert (0, 0) == (logs.count("Traceback"), logs.count("cannot be kept"))
