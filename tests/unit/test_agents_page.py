"""What docs/agents.md shows of settings, job metadata and the Procfile."""

import json

from agent.job import job_metadata
from agent.settings import AgentSettings
from tests.environ import environ, settings
from tests.processes import procfile
from tests.snippets import settings_in, snippets
from tests.unit.agent.test_voice import MODELS

PAGE = "docs/agents.md"
SEVERAL, VOICE = snippets(PAGE, "ini")
REQUEST, INSTRUCTIONS = snippets(PAGE, "json")
(PROCFILE,) = snippets(PAGE, "procfile")
RUNS = [SEVERAL, VOICE, INSTRUCTIONS, PROCFILE]


def test_the_settings_for_several_agents_allow_the_one_that_is_asked_for() -> None:
    """The page's settings and the request below them belong together."""
    asked = json.loads(REQUEST.text)["room_config"]["agents"][0]["agent_name"]

    allowed = settings(**settings_in(SEVERAL)).allowed_agent_names

    assert ("voice-agent", "concierge", "tutor") == allowed
    assert asked in allowed[1:]


def test_the_procfile_is_ours_with_one_process_more() -> None:
    """Ours may change, and then the page's has to."""
    lines = dict(line.split(": ", maxsplit=1) for line in PROCFILE.text.splitlines())

    assert "python concierge.py start" in lines.pop("concierge")
    assert procfile() == lines


def test_the_models_of_the_page_are_the_ones_that_a_session_is_built_from() -> None:
    """In test_voice.py, by livekit-agents itself."""
    assert MODELS == AgentSettings.from_environ(environ(**settings_in(VOICE))).voice_models


def test_the_metadata_of_the_page_instructs_the_voice_agent() -> None:
    """What a frontend sends as the agent's metadata."""
    instructions = json.loads(INSTRUCTIONS.text)["instructions"]

    assert instructions == job_metadata(INSTRUCTIONS.text).unverified_instructions
