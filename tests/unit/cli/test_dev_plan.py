"""What `make dev` starts, from the environment it is given."""

import json
import subprocess
from pathlib import Path

import pytest

from token_server.cli.dev import DevError
from token_server.cli.dev.plan import (
    children_environ,
    livekit_child,
    livekit_settings,
    procfile_commands,
    shell_line,
    web_url,
)
from token_server.cli.dev.ports import Ports

PORTS = Ports(
    web=8080, worker_health=8081, livekit=7880, livekit_rtc_tcp=7881, livekit_rtc_udp=7882
)
CLOUD = {
    "LIVEKIT_URL": "wss://example.livekit.cloud",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "secret",
}


def test_nothing_set_leads_to_the_server_here() -> None:
    """A newcomer sets nothing and has a stack that works."""
    environ = children_environ({}, PORTS)

    assert ("ws://127.0.0.1:7880", "none", "127.0.0.1", "1", "voice-agent", "8080", "8081") == (
        environ["LIVEKIT_URL"],
        environ["TOKEN_AUTH"],
        environ["HOST"],
        environ["DEMO"],
        environ["LIVEKIT_AGENT_NAME"],
        environ["PORT"],
        environ["LIVEKIT_AGENT_PORT"],
    )


def test_the_local_secret_is_long_enough_for_hmac() -> None:
    """PyJWT warns below 32 bytes, and a newcomer's first lines would be warnings."""
    secret = children_environ({}, PORTS)["LIVEKIT_API_SECRET"]

    assert 32 <= len(secret.encode())


def test_what_is_set_stays() -> None:
    """Who tries TOKEN_AUTH=key locally must not be overruled."""
    given = {"TOKEN_AUTH": "key", "DEMO": "0", "LIVEKIT_AGENT_NAME": "tutor", "OTHER": "x"}

    environ = children_environ(given, PORTS)

    assert given == {name: environ[name] for name in given}


def test_an_empty_variable_counts_as_not_set() -> None:
    """A `.env` copied from the example has empty lines."""
    environ = children_environ({"LIVEKIT_URL": "", "TOKEN_AUTH": " "}, PORTS)

    assert ("ws://127.0.0.1:7880", "none") == (environ["LIVEKIT_URL"], environ["TOKEN_AUTH"])


def test_another_livekit_is_used_as_it_is_set() -> None:
    """LiveKit Cloud is one variable away."""
    environ = children_environ(CLOUD, PORTS)

    assert CLOUD == {name: environ[name] for name in CLOUD}


def test_another_livekit_never_gets_the_local_secret() -> None:
    """A credential that everybody knows must not leave the loopback."""
    with pytest.raises(DevError, match="LIVEKIT_API_SECRET must be set too"):
        children_environ({"LIVEKIT_URL": "wss://x.example", "LIVEKIT_API_KEY": "key"}, PORTS)


def test_an_unnamed_worker_stays_unnamed() -> None:
    """With automatic dispatch a name would take the worker out of it."""
    environ = children_environ({"AGENT_DISPATCH": "automatic"}, PORTS)

    assert "LIVEKIT_AGENT_NAME" not in environ


def test_the_programs_of_this_environment_come_first() -> None:
    """`token-server dev` works without an activated .venv."""
    environ = children_environ({"PATH": "/bin"}, PORTS, Path("/venv/bin"))

    assert environ["PATH"] == "/venv/bin:/bin"


def test_all_of_this_machine_find_a_server_on_ipv6() -> None:
    """LiveKit's webhooks, the banner, and who asks whether it is ready."""
    environ = children_environ({"HOST": "::1"}, PORTS)

    assert ("http://[::1]:8080", ["http://[::1]:8080/webhook"]) == (
        web_url(environ),
        livekit_settings(environ, PORTS)["webhook"]["urls"],  # type: ignore[index]
    )


def test_livekit_listens_on_loopback_and_reports_to_us() -> None:
    """Nobody else on the network gets in, and the webhook path is the one we serve."""
    settings = livekit_settings(children_environ({}, PORTS), PORTS)

    assert (["127.0.0.1"], {"api_key": "devkey", "urls": ["http://127.0.0.1:8080/webhook"]}) == (
        settings["bind_addresses"],
        settings["webhook"],
    )


def test_livekit_server_gets_its_settings_and_none_of_ours() -> None:
    """It reads LIVEKIT_ variables as settings of its own; `ps` must not show a secret."""
    environ = children_environ({"PATH": "/bin"}, PORTS)

    child = livekit_child(Path("/opt/livekit server"), environ, PORTS)

    settings = json.loads(child.environ["LIVEKIT_CONFIG"])
    assert ("exec '/opt/livekit server'", ["LIVEKIT_CONFIG"], 7880) == (
        child.command,
        [name for name in child.environ if name.startswith("LIVEKIT_")],
        settings["port"],
    )


def test_a_procfile_names_processes_and_nothing_else() -> None:
    """A comment, a line without a name or without a command is no process."""
    text = "# web: no\n\nweb:  gunicorn app:x \nnot a name: x\nempty:\nworker-2:python -m agent"

    assert [("web", "gunicorn app:x "), ("worker-2", "python -m agent")] == procfile_commands(text)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("python -m agent start", "exec python -m agent start"),
        ("PORT=8082 NAME='a b' python x.py", "PORT=8082 NAME='a b' exec python x.py"),
        ("cd agent && exec python x.py", "cd agent && exec python x.py"),
        ("A=1 python x.py | tee log", "A=1 python x.py | tee log"),
        ("python 'no end", "python 'no end"),
        ("python x.py --at=/#a && rm log", "python x.py --at=/#a && rm log"),
        ("'A=1' x", "exec 'A=1' x"),
        ("A=1", "A=1"),
    ],
)
def test_a_process_gets_its_signals_however_its_line_is_written(command: str, line: str) -> None:
    """Variables in front of the program are what docs/agents.md shows."""
    assert line == shell_line(command)


def test_variables_in_front_reach_the_program() -> None:
    """In a real shell, with what is quoted and what the shell fills in."""
    line = shell_line("A='x y' B=$HOME/z C=~/c D=`echo d e` env")

    shown = subprocess.check_output(["/bin/sh", "-c", line], env={"HOME": "/h h"}, text=True)

    assert {"A=x y", "B=/h h/z", "C=/h h/c", "D=d e"} <= set(shown.splitlines())


@pytest.mark.parametrize(("level", "prints"), [("info", "warn"), ("debug", "info")])
def test_livekit_prints_little_unless_more_is_asked_for(level: str, prints: str) -> None:
    """Two of three lines of `make dev` were its own."""
    settings = livekit_settings(children_environ({"LOG_LEVEL": level}, PORTS), PORTS)

    assert prints == settings["logging"]["level"]  # type: ignore[index]
