"""What docs/phone.md has LiveKit and the token server be told."""

import re
from pathlib import Path

import pytest
from google.protobuf import json_format
from livekit.protocol.sip import CreateSIPDispatchRuleRequest, CreateSIPInboundTrunkRequest

from tests.environ import settings
from tests.processes import ROOT
from tests.snippets import settings_in, snippets
from tests.stand_ins import calls_of
from token_server.keeper.decisions import JOB_LOST_AFTER
from token_server.tokens.room_patterns import matches_any

PAGE = "docs/phone.md"
(SETTINGS,) = snippets(PAGE, "ini")
TRUNK, RULE = snippets(PAGE, "json")
(CREATE,) = snippets(PAGE, "sh")
RUNS = [SETTINGS, TRUNK, RULE, CREATE]


@pytest.fixture
def trunk() -> CreateSIPInboundTrunkRequest:
    """Read it as LiveKit's tool does, which refuses a field that it does not know."""
    return json_format.Parse(TRUNK.text, CreateSIPInboundTrunkRequest())


@pytest.fixture
def rule() -> CreateSIPDispatchRuleRequest:
    """Read it likewise."""
    return json_format.Parse(RULE.text, CreateSIPDispatchRuleRequest())


def test_the_trunk_takes_the_calls_of_whoever_has_its_password(
    trunk: CreateSIPInboundTrunkRequest,
) -> None:
    """LiveKit refuses one that is open to everybody."""
    said = trunk.trunk

    assert (1, True, True) == (
        len(said.numbers),
        bool(said.auth_username),
        bool(said.auth_password),
    )
    assert said.numbers[0].startswith("+")


def test_the_provider_gives_up_after_the_keeper_has_tried_and_before_livekit_says_busy(
    trunk: CreateSIPInboundTrunkRequest,
) -> None:
    """Sooner would lose calls that are being mended; later the fallback would not begin."""
    (provider,) = re.findall(r"after (\d+) s, with the fallback", (ROOT / PAGE).read_text())

    assert JOB_LOST_AFTER.seconds < int(provider) < trunk.trunk.ringing_timeout.seconds


def test_the_rooms_of_the_rule_are_attended(rule: CreateSIPDispatchRuleRequest) -> None:
    """LiveKit appends the caller and twelve characters to the prefix (livekit-behaviour 102)."""
    (shown,) = re.findall(r"A room is called `(\S+)` and 12", (ROOT / PAGE).read_text())
    prefix = rule.dispatch_rule.rule.dispatch_rule_individual.room_prefix

    attended = settings(**settings_in(SETTINGS)).attend_rooms

    assert shown.startswith(f"{prefix}_+")
    assert matches_any(attended, f"{shown}aBcDeFgHiJkL")
    assert not matches_any(attended, "lobby")


def test_the_rule_names_the_agent_of_the_settings(rule: CreateSIPDispatchRuleRequest) -> None:
    """One whom no worker has would never come, and the phone would ring."""
    (agent,) = rule.dispatch_rule.room_config.agents

    assert settings(**settings_in(SETTINGS)).allowed_agent_names == (agent.agent_name,)
    assert agent.metadata


def test_livekits_tool_is_given_the_files_that_the_page_shows(tmp_path: Path) -> None:
    """Trunk and rule, each by the name that stands above it."""
    before = (ROOT / PAGE).read_text().split("```json\n")
    names = [re.findall(r"`(\S+\.json)`", text)[-1] for text in before[:2]]

    calls = calls_of(CREATE.text, ["lk"], tmp_path)

    assert [
        ["lk", "sip", "inbound", "create", names[0]],
        ["lk", "sip", "dispatch", "create", names[1]],
    ] == calls
