import pytest
from livekit import rtc

from agent.room_now import agent_name_of

AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
HUMAN = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD


@pytest.mark.parametrize(
    ("kind", "attributes", "name"),
    [
        (AGENT, {"lk.agent.name": "voice-agent", "lk.agent_name": "voice-agent"}, "voice-agent"),
        (AGENT, {"lk.agent_name": "voice-agent"}, "voice-agent"),
        (AGENT, {"lk.agent.name": "", "lk.agent_name": "voice-agent"}, "voice-agent"),
        (AGENT, {}, ""),
        (AGENT, {"lk.agent.name": "voice-agent", "lk.publish_on_behalf": "agent-1"}, None),
        (HUMAN, {"lk.agent.name": "voice-agent"}, None),
    ],
    ids=["named", "an old SDK", "an empty name", "automatic", "an avatar", "a human"],
)
def test_who_is_an_agent_and_of_what_name(
    kind: int, attributes: dict[str, str], name: str | None
) -> None:
    """An agent beside another one of its name leaves; beside anybody else it stays."""
    assert name == agent_name_of(kind, attributes)
