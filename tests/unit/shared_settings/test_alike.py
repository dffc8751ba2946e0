"""The web process and the worker, beside each other: what one takes the other takes."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.settings import AgentSettings
from shared_settings.env_file import with_env_file
from shared_settings.settings import SettingsError, SharedSettings
from tests.environ import environ
from token_server.settings import Settings

TAKEN = {
    "cloud": ("LIVEKIT_URL", "wss://x.livekit.cloud"),
    "a port": ("LIVEKIT_URL", "ws://127.0.0.1:7880"),
    "IPv6": ("LIVEKIT_URL", "http://[::1]:7880"),
    "a slash at the end": ("LIVEKIT_URL", "https://livekit.example/"),
    "upper case": ("LIVEKIT_URL", "WSS://livekit.example"),
    "a URL with space around": ("LIVEKIT_URL", " wss://livekit.example\n"),
    "a key with space around": ("LIVEKIT_API_KEY", " key\t"),
    "a secret with a new line": ("LIVEKIT_API_SECRET", "secret\n"),
    "a name with space around": ("LIVEKIT_AGENT_NAME", " voice-agent\r"),
    "a name with space in it": ("LIVEKIT_AGENT_NAME", "voice agent"),
    "dispatch": ("AGENT_DISPATCH", "automatic "),
    "no dispatch": ("AGENT_DISPATCH", " "),
    "a second and a half": ("AGENT_SILENT_SECONDS", " 1.5 "),
    "nobody is dead": ("AGENT_SILENT_SECONDS", "0"),
    "nobody stands still": ("AGENT_BLOCKED_SECONDS", "0"),
    "ten seconds": ("AGENT_BLOCKED_SECONDS", "10"),
    "auth": ("TOKEN_AUTH", " none "),
    "json": ("LOG_FORMAT", "json\n"),
    "no log format": ("LOG_FORMAT", ""),
    "a server's URL": ("TOKEN_SERVER_URL", " https://tokens.example/path/ "),
    "a server's port": ("PORT", "1234"),
    "no server's port": ("PORT", ""),
    "all addresses": ("HOST", " :: "),
    "an address in brackets": ("HOST", "[::1]"),
    "a path": ("LIVEKIT_URL", "wss://livekit.example/path/to/it/"),
}
REFUSED = {
    "no URL": ("LIVEKIT_URL", " "),
    "no scheme": ("LIVEKIT_URL", "livekit.example"),
    "another scheme": ("LIVEKIT_URL", "ftp://livekit.example"),
    "a path with an empty part": ("LIVEKIT_URL", "wss://livekit.example//rtc"),
    "a query": ("LIVEKIT_URL", "wss://livekit.example?a=b"),
    "a user": ("LIVEKIT_URL", "wss://user:password@livekit.example"),
    "a host that cannot be": ("LIVEKIT_URL", "ws://a..b"),
    "a port of letters": ("LIVEKIT_URL", "ws://livekit.example:http"),
    "half an IPv6 address": ("LIVEKIT_URL", "ws://[::1"),
    "no key": ("LIVEKIT_API_KEY", ""),
    "no secret": ("LIVEKIT_API_SECRET", "\n"),
    "no name": ("LIVEKIT_AGENT_NAME", " "),
    "another dispatch": ("AGENT_DISPATCH", "later"),
    "upper case dispatch": ("AGENT_DISPATCH", "Automatic"),
    "silent for less than no time": ("AGENT_SILENT_SECONDS", "-1"),
    "silent for minutes": ("AGENT_SILENT_SECONDS", "61"),
    "silent for letters": ("AGENT_SILENT_SECONDS", "soon"),
    "silent for no number": ("AGENT_SILENT_SECONDS", "nan"),
    "blocked for less than no time": ("AGENT_BLOCKED_SECONDS", "-0.1"),
    "blocked for hours": ("AGENT_BLOCKED_SECONDS", "601"),
    "another log format": ("LOG_FORMAT", "xml"),
    "a server without a scheme": ("TOKEN_SERVER_URL", "tokens.example"),
    "a server's user": ("TOKEN_SERVER_URL", "https://user:password@tokens.example"),
    "a port that cannot be": ("PORT", "0"),
    "a host with a port": ("HOST", "127.0.0.1:80"),
}
# Of TOKEN_AUTH the worker takes anything: a wrong one is the server's to refuse.
SHARED = {*Settings.model_fields} & {*AgentSettings.model_fields}


def read_by(model: type[SharedSettings], variables: Mapping[str, str]) -> object:
    """Return what is read of the shared settings, or the refusal."""
    try:
        return model.from_environ(variables).model_dump(include=SHARED)
    except SettingsError as error:
        return str(error)


def test_every_shared_variable_is_in_the_table() -> None:
    """One that is not could drift unseen."""
    shared = {Settings.model_fields[name].alias for name in SHARED}

    assert shared == {name for name, _ in TAKEN.values()}
    assert shared - {"TOKEN_AUTH"} == {name for name, _ in REFUSED.values()}


@pytest.mark.parametrize(("name", "value"), TAKEN.values(), ids=TAKEN.keys())
def test_what_one_takes_the_other_takes_as_the_same(name: str, value: str) -> None:
    """One `.env` serves both: a worker of another name or key attends nobody."""
    web, worker = (read_by(model, environ(**{name: value})) for model in (Settings, AgentSettings))

    assert (web, True) == (worker, isinstance(web, dict))


@pytest.mark.parametrize(("name", "value"), REFUSED.values(), ids=REFUSED.keys())
def test_what_one_refuses_the_other_refuses_in_the_same_words(name: str, value: str) -> None:
    """Half a deployment that starts is looked at last."""
    web, worker = (read_by(model, environ(**{name: value})) for model in (Settings, AgentSettings))

    assert (web, True) == (worker, str(web).startswith(f"{name} must "))


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param({}, "wss://file.example", id="the file alone"),
        pytest.param({"TOKEN_SERVER_ENV_FILE": ""}, "wss://file.example", id="no other file"),
        pytest.param({"HOST_NAME": "own.example"}, "wss://own.example", id="a part of it"),
        pytest.param({"LIVEKIT_URL": "ws://whole"}, "ws://whole", id="the environment's own"),
    ],
)
def test_the_environment_goes_before_the_env_file(
    variables: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the file puts a value together from others."""
    (tmp_path / ".env").write_text("HOST_NAME=file.example\nLIVEKIT_URL=wss://${HOST_NAME}\n")
    monkeypatch.chdir(tmp_path)
    for name in ("HOST_NAME", "LIVEKIT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert expected == with_env_file(variables)["LIVEKIT_URL"]
