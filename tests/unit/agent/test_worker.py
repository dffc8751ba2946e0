from agent.settings import AgentSettings
from agent.worker import agent_identity, build_worker


def test_an_agent_has_one_identity_per_name() -> None:
    """LiveKit evicts the older of two equal identities: no room holds an agent twice."""
    assert ("agent-voice-agent", "agent-automatic") == (
        agent_identity("voice-agent"),
        agent_identity(""),
    )


def test_a_worker_is_built_from_settings_alone() -> None:
    """Nothing happens before it is run: no connection, no process, no environment."""
    settings = AgentSettings.from_environ(
        {
            "LIVEKIT_URL": "ws://127.0.0.1:1",
            "LIVEKIT_API_KEY": "key",
            "LIVEKIT_API_SECRET": "a-made-up-secret",
            "LIVEKIT_AGENT_NAME": "voice-agent",
        }
    )

    assert not build_worker(settings).has_failed
