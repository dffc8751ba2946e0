"""`.env.example` is where operators look for what they can set."""

import re

import pytest
from dotenv import dotenv_values

from agent.settings import AgentSettings
from tests.processes import ROOT
from token_server.settings import Settings

EXAMPLE = ROOT / ".env.example"
ALIASES = {
    field.alias
    for model in (Settings, AgentSettings)
    for field in model.model_fields.values()
    if field.alias
}


@pytest.mark.parametrize("name", sorted(ALIASES))
def test_every_setting_is_listed(name: str) -> None:
    """A setting that nobody can find does not exist."""
    assert re.search(rf"^#?{name}=", EXAMPLE.read_text(), re.MULTILINE)


def test_a_plain_copy_changes_nothing_but_the_name() -> None:
    """`cp .env.example .env` must not point `make dev` at a server that is not there."""
    assert {"LIVEKIT_AGENT_NAME": "voice-agent"} == dotenv_values(EXAMPLE)


def test_defaults_shown_are_the_defaults() -> None:
    """Numbers in an example go stale unless something compares them."""
    shown = dict(re.findall(r"^#([A-Z_]+)=(.+)$", EXAMPLE.read_text(), re.MULTILINE))
    needed = {
        "LIVEKIT_URL": "wss://x.example",
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": "secret",
        "LIVEKIT_AGENT_NAME": "voice-agent",
        "TOKEN_AUTH": "none",
    }

    assert (Settings.from_environ(needed), AgentSettings.from_environ(needed)) == (
        Settings.from_environ(shown | needed),
        AgentSettings.from_environ(shown | needed),
    )
