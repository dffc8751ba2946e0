"""`token-server release`: what it asks, prints and returns."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.loopback import Loopback
from token_server.cli.__main__ import main
from token_server.cli.release import release, report
from token_server.cli.running_server import NotAnsweredError
from token_server.errors import UnknownRoomError

ALICE = {"participant_identity": "alice", "agent_name": "voice-agent"}
DONE: dict[str, Any] = {
    "room_name": "kitchen",
    "released": [ALICE],
    "dispatches_deleted": 1,
    "agents_removed": 0,
}
NOBODY = DONE | {"released": [], "dispatches_deleted": 0}


@contextmanager
def answering(
    status: int, content: object
) -> Iterator[tuple[dict[str, str], list[tuple[str, str, object]]]]:
    """Answer each POST with this; yield the environment that leads there, and what is asked."""
    asked: list[tuple[str, str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, self.headers["Authorization"], body))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: object) -> None: ...

    with Loopback(Handler) as server:
        url = f"http://127.0.0.1:{server.port}"
        yield {"TOKEN_SERVER_URL": url, "OPERATOR_KEY": "sha256:00,operator"}, asked


@pytest.mark.parametrize(("answer", "code"), [(DONE, 0), (NOBODY, 1)], ids=["done", "nobody"])
def test_the_exit_code_says_whether_somebody_is_released(answer: object, code: int) -> None:
    """Scripts branch on it."""
    out = io.StringIO()
    with answering(200, answer) as (environ, asked):
        assert code == release(environ, "a/b", {"agent_name": "cook"}, out)

    path = "/rooms/release?room_name=a%2Fb"
    assert [(path, "Bearer operator", {"agent_name": "cook"})] == asked


@pytest.mark.parametrize(
    ("status", "msg", "error", "says"),
    [
        (404, "room_name is not a live room", UnknownRoomError, "not a live room"),
        (405, "405 Method Not Allowed", NotAnsweredError, "older version"),
        (503, "LiveKit did not answer", NotAnsweredError, "answers 503: LiveKit did not"),
    ],
    ids=["no room", "older server", "no LiveKit"],
)
def test_what_went_wrong_is_said(status: int, msg: str, error: type[Exception], says: str) -> None:
    """In a line."""
    with (
        answering(status, {"code": "any", "msg": msg}) as (environ, _),
        pytest.raises(error, match=says),
    ):
        release(environ, "kitchen", {}, io.StringIO())


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ([], {}),
        (["--agent", "cook"], {"agent_name": "cook"}),
        (["--agent", ""], {"agent_name": ""}),
        (
            ["--identity", "bob", "--agent", "cook"],
            {"participant_identity": "bob", "agent_name": "cook"},
        ),
    ],
    ids=["all", "agent", "nameless", "both"],
)
def test_options_say_whom(
    options: list[str],
    body: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An option that is not given leaves nobody out."""
    with answering(200, DONE) as (environ, asked):
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        code = main(["release", "kitchen", *options])

    assert (0, [body]) == (code, [told for _, _, told in asked])
    assert "alice: released from voice-agent" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, ["alice: released from voice-agent", "1 dispatch taken back"]),
        (
            {"dispatches_deleted": 2, "agents_removed": 1},
            ["alice: released from voice-agent", "2 dispatches taken back, 1 agent put out"],
        ),
        (
            {"released": [ALICE | {"agent_name": ""}], "dispatches_deleted": 0},
            ["alice: released from the agent without a name", "0 dispatches taken back"],
        ),
        (
            {"released": []},
            ["kitchen: nobody here wants such an agent, so nobody was released"],
        ),
    ],
    ids=["one", "several", "nameless", "nobody"],
)
def test_what_was_done_is_printed(changes: dict[str, object], lines: list[str]) -> None:
    """Each human, and what became of their agents."""
    assert lines == report(DONE | changes)


def test_names_cannot_draw_on_the_terminal() -> None:
    """Callers choose their identities."""
    human = {"participant_identity": "\x1b[2J", "agent_name": "a\nb"}

    assert all(line.isprintable() for line in report(DONE | {"released": [human]}))
