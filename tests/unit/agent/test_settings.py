import pytest

from agent.settings import AgentSettings, VoiceModels
from shared_settings.settings import SettingsError

ENVIRON = {
    "LIVEKIT_URL": "wss://example.livekit.cloud",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "a-made-up-secret",
    "LIVEKIT_AGENT_NAME": "voice-agent",
}
BAD = {
    "no url": ({"LIVEKIT_URL": ""}, "LIVEKIT_URL must be set"),
    "url without a scheme": ({"LIVEKIT_URL": "example.com"}, "LIVEKIT_URL must look like"),
    "no key": ({"LIVEKIT_API_KEY": " "}, "LIVEKIT_API_KEY must be set"),
    "no secret": ({"LIVEKIT_API_SECRET": ""}, "LIVEKIT_API_SECRET must be set"),
    "no name": ({"LIVEKIT_AGENT_NAME": ""}, "LIVEKIT_AGENT_NAME must be set"),
    "unknown dispatch": ({"AGENT_DISPATCH": "later"}, "AGENT_DISPATCH must be"),
    "port is a word": ({"LIVEKIT_AGENT_PORT": "http"}, "LIVEKIT_AGENT_PORT must be"),
    "port too high": ({"LIVEKIT_AGENT_PORT": "65536"}, "LIVEKIT_AGENT_PORT must be"),
    "nothing warm": ({"LIVEKIT_AGENT_IDLE_PROCESSES": "0"}, "LIVEKIT_AGENT_IDLE_PROCESSES must"),
    "no job at all": ({"LIVEKIT_AGENT_MAX_JOBS": "0"}, "LIVEKIT_AGENT_MAX_JOBS must be"),
    "half a job": ({"LIVEKIT_AGENT_MAX_JOBS": "1.5"}, "LIVEKIT_AGENT_MAX_JOBS must be"),
    "one model": ({"VOICE_STT": "deepgram/nova-3"}, "VOICE_LLM must be set"),
    "two models": ({"VOICE_LLM": "a/b", "VOICE_TTS": "c/d"}, "VOICE_STT must be set"),
    "host is a word": ({"LIVEKIT_AGENT_HOST": "everywhere"}, "LIVEKIT_AGENT_HOST must be an add"),
    "host with port": ({"LIVEKIT_AGENT_HOST": "127.0.0.1:80"}, "LIVEKIT_AGENT_HOST must be an a"),
    "anybody's words": ({"VOICE_INSTRUCTIONS": "anybody"}, "VOICE_INSTRUCTIONS must be"),
    "unknown format": ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be"),
}


@pytest.mark.parametrize(("changed", "problem"), BAD.values(), ids=BAD.keys())
def test_a_wrong_environment_is_refused_by_name(changed: dict[str, str], problem: str) -> None:
    """An operator finds the variable to correct in the sentence itself."""
    with pytest.raises(SettingsError) as error:
        AgentSettings.from_environ(ENVIRON | changed)

    assert (True, 1) == (str(error.value).startswith(problem), len(str(error.value).splitlines()))


def test_every_problem_is_told_at_once() -> None:
    """Nobody wants to restart a worker once per mistake."""
    environ = {"LIVEKIT_AGENT_MAX_JOBS": "many", "VOICE_STT": "a/b"}

    with pytest.raises(SettingsError) as error:
        AgentSettings.from_environ(environ)

    named = [line.partition(" ")[0] for line in str(error.value).splitlines()]
    assert [
        "LIVEKIT_URL",
        "LIVEKIT_API_KEY",
        "LIVEKIT_API_SECRET",
        "LIVEKIT_AGENT_MAX_JOBS",
        "LIVEKIT_AGENT_NAME",
        "VOICE_LLM",
    ] == named


def test_a_wrong_value_is_not_repeated() -> None:
    """A secret pasted into the wrong variable must not end in a log."""
    with pytest.raises(SettingsError) as error:
        AgentSettings.from_environ(ENVIRON | {"LIVEKIT_URL": "pasted-secret"})

    assert "pasted-secret" not in str(error.value)


def test_the_key_and_the_secret_are_not_shown() -> None:
    """Settings end up in tracebacks and logs."""
    shown = repr(AgentSettings.from_environ(ENVIRON))

    assert ("'key'" in shown, "a-made-up-secret" in shown) == (False, False)


def test_a_worker_has_a_name_unless_dispatch_is_automatic() -> None:
    """A named worker gets no job by itself; an unnamed one is sent to every room."""
    named = AgentSettings.from_environ(ENVIRON)
    automatic = AgentSettings.from_environ(ENVIRON | {"AGENT_DISPATCH": "automatic"})

    assert ("voice-agent", "") == (named.registered_name, automatic.registered_name)


def test_automatic_dispatch_needs_no_name() -> None:
    """The Cloud dashboard's automatic dispatch knows no name either."""
    environ = ENVIRON | {"AGENT_DISPATCH": "automatic", "LIVEKIT_AGENT_NAME": ""}

    assert not AgentSettings.from_environ(environ).registered_name


def test_three_models_make_a_voice_and_none_the_parrot() -> None:
    """The parrot is what works without a key for models."""
    models = {"VOICE_STT": "a/stt", "VOICE_LLM": "b/llm", "VOICE_TTS": "c/tts"}

    parrot, voice = (AgentSettings.from_environ(ENVIRON | more) for more in ({}, models))

    expected = VoiceModels(stt="a/stt", llm="b/llm", tts="c/tts")
    assert (None, expected) == (parrot.voice_models, voice.voice_models)


@pytest.mark.parametrize(
    ("voice_instructions", "token_auth", "are_followed"),
    [
        ("", "key", True),
        ("", "jwt", False),
        ("", "none", False),
        ("", "", False),
        ("", "Key", False),
        ("backend", "key", True),
        ("backend", "jwt", False),
        ("caller", "jwt", True),
        ("caller", "", True),
        ("none", "key", False),
    ],
)
def test_a_voice_follows_a_backends_words_unless_told_otherwise(
    voice_instructions: str, token_auth: str, *, are_followed: bool
) -> None:
    """Any login's words would steer the agent that the others talk with, when it has left too."""
    given = {"VOICE_INSTRUCTIONS": voice_instructions, "TOKEN_AUTH": token_auth}

    assert are_followed == AgentSettings.from_environ(ENVIRON | given).follows_instructions
