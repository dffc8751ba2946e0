"""`token-server room` and `rooms`: what they ask, print and return."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.loopback import Loopback
from token_server.cli.running_server import NotAnsweredError
from token_server.cli.show_rooms import show_room, show_rooms

ATTENDED: dict[str, Any] = {
    "room_name": "attended",
    "num_participants": 2,
    "is_known": True,
    "is_attended": True,
    "waiting_for": [],
}
WAITING = ATTENDED | {"room_name": "waiting", "is_attended": False, "waiting_for": ["a"]}
UNKNOWN = ATTENDED | {"room_name": "unknown", "is_known": False, "is_attended": None}


@contextmanager
def answering(content: object) -> Iterator[tuple[dict[str, str], list[str]]]:
    """Serve this; yield the environment that leads there, and the paths that are asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: object) -> None: ...

    with Loopback(Handler) as server:
        yield {"TOKEN_SERVER_URL": f"http://127.0.0.1:{server.port}"}, asked


@pytest.mark.parametrize("as_json", [False, True], ids=["words", "json"])
@pytest.mark.parametrize(
    ("rooms", "code"),
    [
        ([], 0),
        ([ATTENDED], 0),
        ([ATTENDED, UNKNOWN], 2),
        ([WAITING, UNKNOWN], 1),
    ],
    ids=["none", "attended", "unknown", "waiting"],
)
def test_the_exit_code_says_whether_anybody_waits(
    rooms: list[dict[str, Any]], code: int, *, as_json: bool
) -> None:
    """Scripts branch on it: that nobody waits is said only where it is known."""
    with answering({"rooms": rooms}) as (environ, _):
        assert code == show_rooms(environ, io.StringIO(), as_json=as_json)


def test_rooms_that_are_not_known_are_counted() -> None:
    """A list of 300 does not show by itself that 100 of them were not looked into."""
    out = io.StringIO()
    with answering({"rooms": [WAITING, UNKNOWN, UNKNOWN]}) as (environ, _):
        show_rooms(environ, out, as_json=False)

    assert out.getvalue().endswith("\n2 of 3 could not be looked into: somebody may wait there\n")


@pytest.mark.parametrize("name", ["..", ".", "/x", "a//b", "a\nb", "%2F", "ä?#&="])
def test_a_room_of_any_name_is_asked_for(name: str) -> None:
    """No client, proxy or server in between takes a query's name apart."""
    room: dict[str, Any] = {"room_name": name, "is_attended": None, "timeline": []}
    with answering(room) as (environ, asked):
        show_room(environ, name, io.StringIO(), as_json=True)

    (path,) = asked
    assert path.startswith("/rooms?room_name=")
    assert not set("/?#&\n") & set(path.removeprefix("/rooms?room_name="))


def test_a_server_that_does_not_know_the_query_is_told_of() -> None:
    """It lists all its rooms instead."""
    with (
        answering({"rooms": [ATTENDED]}) as (environ, _),
        pytest.raises(NotAnsweredError, match="older version"),
    ):
        show_room(environ, "kitchen", io.StringIO(), as_json=False)
