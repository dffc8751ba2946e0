"""`token-server token`: what it sends, and what it says when there is no token."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.processes import ROOT, clean_environ, free_port
from token_server.cli.running_server import (
    NotAnsweredError,
    fetch_token,
    server_url,
    unverified_claims,
)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[tuple[str, list[tuple[str | None, bytes]]]]:
    """Serve one answer; yield the address, and the requests' keys and bodies."""
    seen: list[tuple[str | None, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.headers["Authorization"], sent))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join()
    server.server_close()


def test_fields_and_the_first_key_that_is_known_are_sent() -> None:
    """The command works unchanged where TOKEN_AUTH=key; nobody has the key of a hash."""
    environ = {"TOKEN_KEYS": f"sha256:{'0' * 64}, k1,k2"}
    with answering(201, b'{"participant_token": "t"}') as (url, seen):
        answer = fetch_token({"TOKEN_SERVER_URL": url, **environ}, {"room_name": "r"})

    assert ({"participant_token": "t"}, "Bearer k1", {"room_name": "r"}) == (
        answer,
        seen[0][0],
        json.loads(seen[0][1]),
    )


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        pytest.param(401, b'{"code": "unauthenticated", "msg": "no key"}', "401: no key", id="msg"),
        pytest.param(404, b"<html>", "404 and no JSON", id="another-server"),
        pytest.param(200, b"[]", "200 and no JSON", id="no-object"),
        pytest.param(500, b"{}", "500: no reason", id="no-msg"),
    ],
)
def test_an_answer_without_token_is_said_in_words(status: int, body: bytes, sentence: str) -> None:
    """A traceback would hide the server's own reason."""
    with answering(status, body) as (url, _), pytest.raises(NotAnsweredError, match=sentence):
        fetch_token({"TOKEN_SERVER_URL": url}, {})


def test_no_server_is_said_in_words() -> None:
    """The most frequent mistake is that nothing runs."""
    environ = {"PORT": str(free_port())}

    with pytest.raises(NotAnsweredError, match="Start it with `make dev`"):
        fetch_token(environ, {})


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, "http://127.0.0.1:8080", id="default"),
        pytest.param({"PORT": "9000"}, "http://127.0.0.1:9000", id="port"),
        pytest.param(
            {"TOKEN_SERVER_URL": "https://t.example/", "PORT": "9000"},
            "https://t.example",
            id="url",
        ),
        pytest.param(
            {"TOKEN_SERVER_URL": " https://t.example/\n"}, "https://t.example", id="space"
        ),
        pytest.param({"TOKEN_SERVER_URL": " ", "PORT": " "}, "http://127.0.0.1:8080", id="empty"),
    ],
)
def test_where_the_server_is(environ: dict[str, str], expected: str) -> None:
    """The same variables lead the doctor there."""
    assert expected == server_url(environ)


def test_claims_are_read_without_the_secret() -> None:
    """--decode answers "what did I get?" on a machine that has no secret."""
    assert {"sub": "me"} == unverified_claims("h.eyJzdWIiOiJtZSJ9.s")


def test_the_command_asks_for_a_token_without_an_agent(tmp_path: Path) -> None:
    """And leaves to the server, which may be of an earlier version, what it is not told."""
    command = [sys.executable, "-m", "token_server.cli", "token", "--agentless"]
    with answering(201, b'{"participant_token": "t"}') as (url, seen):
        environ = clean_environ() | {"TOKEN_SERVER_URL": url, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, env=environ, cwd=tmp_path, check=True, capture_output=True)

    assert {"agentless": True} == json.loads(seen[0][1])
