from agent.settings import AgentSettings
from agent.worker import agent_identity, build_worker


def test_each_job_has_an_identity_of_its_own() -> None:
    """What is done to one agent, by identity, must not strike the next."""
    assert ("agent-voice-agent-AJ_1", "agent-automatic-AJ_2") == (
        agent_identity("voice-agent", "AJ_1"),
        agent_identity("", "AJ_2"),
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
