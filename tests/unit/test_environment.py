"""What a command takes from the `.env` of the folder that it is run in."""

import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.loopback import Loopback
from tests.processes import clean_environ, free_port
from token_server.environment import command_environ

FILE = {
    "TOKEN_SERVER_URL": "https://stranger.example",
    "LIVEKIT_URL": "wss://stranger.example",
    "REDIS_TLS_VERIFY": "0",
    "ROOM_NAMES": "kitchen",
}
SENT_TO = {
    "OPERATOR_KEY": "TOKEN_SERVER_URL",
    "TOKEN_KEYS": "TOKEN_SERVER_URL",
    "LIVEKIT_API_SECRET": "LIVEKIT_URL",
    "REDIS_URL": "REDIS_TLS_VERIFY",  # whoever answers there learns the password of the URL
}
SECRETS = tuple(SENT_TO)
SENT_OVER_HTTP = [name for name in SECRETS if name != "REDIS_URL"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that somebody else has filled, and the person at the terminal is in."""
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in FILE.items()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_of_the_environment_is_not_sent_where_a_folder_says(
    secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not the key itself, and no token that the secret has signed; a line says why."""
    found = command_environ({secret: "MaRkEr"})

    assert {secret: "MaRkEr", **FILE} == {SENT_TO[secret]: FILE[SENT_TO[secret]], **found}
    assert SENT_TO[secret] not in found
    (line,) = [record.getMessage() for record in caplog.records]
    assert (True, True, False) == (secret in line, SENT_TO[secret] in line, "MaRkEr" in line)


@pytest.mark.usefixtures("folder")
def test_a_login_of_the_command_line_is_a_secret_too() -> None:
    """`token-server doctor --login`."""
    found = command_environ({}, "MaRkEr")

    assert (False, True) == ("TOKEN_SERVER_URL" in found, "LIVEKIT_URL" in found)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("secret", SECRETS)
def test_an_address_of_the_environment_is_the_persons_own(secret: str) -> None:
    """Then the file says nothing about it."""
    given = {secret: "MaRkEr", SENT_TO[secret]: "https://own.example"}

    assert FILE | given == command_environ(given)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_file_that_has_both_keeps_them_together(
    folder: Path, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A developer's own `.env`."""
    with (folder / ".env").open("a") as file:
        file.write(f"{secret}=MaRkEr\n")

    assert (FILE | {secret: "MaRkEr"}, []) == (command_environ({}), caplog.records)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_file_that_is_named_is_trusted(folder: Path, secret: str) -> None:
    """TOKEN_SERVER_ENV_FILE is the environment's own word."""
    given = {secret: "MaRkEr", "TOKEN_SERVER_ENV_FILE": str(folder / ".env")}

    assert FILE | given == command_environ(given)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy"])
@pytest.mark.parametrize("secret", [*SENT_OVER_HTTP, "--login"])
def test_a_secret_of_the_environment_is_not_sent_through_a_strangers_proxy(
    folder: Path, name: str, secret: str
) -> None:
    """Where there is no TLS, a proxy reads what passes."""
    (folder / ".env").write_text(f"{name}=http://stranger.example:3128\nROOM_NAMES=kitchen\n")
    given = {} if secret == "--login" else {secret: "MaRkEr"}
    own = given | {name: "http://proxy.example"}

    found = command_environ(given, "MaRkEr" if secret == "--login" else "")

    assert {"ROOM_NAMES": "kitchen", **given} == found
    assert {"ROOM_NAMES": "kitchen", **own} == command_environ(own)


def test_the_command_asks_nobody_that_a_folder_names(folder: Path) -> None:
    """As a person meets it: they have cloned something, and look at a room of their own server."""
    seen: list[str | None] = []

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    own = {name: value for name, value in clean_environ().items() if "ENV_FILE" not in name}
    with Loopback(Stranger) as stranger:
        url = f"http://127.0.0.1:{stranger.port}"
        (folder / ".env").write_text(f"TOKEN_SERVER_URL={url}\n")
        command = [sys.executable, "-m", "token_server.cli", "rooms"]
        ended = subprocess.run(
            command,
            cwd=folder,
            env=own | {"OPERATOR_KEY": "MaRkEr", "PORT": str(free_port())},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert ([], 1) == (seen, ended.returncode)
    assert "TOKEN_SERVER_URL of this folder's .env is not used" in ended.stderr
