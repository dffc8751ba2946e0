"""What an operator can change about the worker, read from a mapping.

Only __main__.py knows os.environ.
"""

import ipaddress
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

from shared_settings.settings import AgentDispatch, SharedSettings, TokenAuth

_VOICE_MODELS = ("VOICE_STT", "VOICE_LLM", "VOICE_TTS")


class VoiceInstructions(StrEnum):
    """Whose words in a job's metadata the voice agent follows."""

    BACKEND = "backend"
    CALLER = "caller"
    NONE = "none"


class VoiceModels(NamedTuple):
    """The three models of LiveKit Inference that make a voice agent."""

    stt: str
    llm: str
    tts: str


def _check_address(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise ValueError("must be an address of this machine, such as 127.0.0.1 or ::1") from None
    return value


class AgentSettings(SharedSettings):
    """What an operator can change; each attribute's environment variable is its alias."""

    health_host: Annotated[str, AfterValidator(_check_address)] = Field(
        "127.0.0.1", alias="LIVEKIT_AGENT_HOST"
    )
    health_port: int = Field(8081, alias="LIVEKIT_AGENT_PORT", ge=0, le=65535)
    idle_processes: int = Field(4, alias="LIVEKIT_AGENT_IDLE_PROCESSES", ge=1, le=64)
    max_jobs: int = Field(25, alias="LIVEKIT_AGENT_MAX_JOBS", ge=1, le=1000)
    drain_seconds: int = Field(3600, alias="LIVEKIT_AGENT_DRAIN_SECONDS", ge=1)
    voice_stt: str = Field("", alias="VOICE_STT")
    voice_llm: str = Field("", alias="VOICE_LLM")
    voice_tts: str = Field("", alias="VOICE_TTS")
    voice_instructions: VoiceInstructions = Field(
        VoiceInstructions.BACKEND, alias="VOICE_INSTRUCTIONS"
    )
    # The token server's: whatever it is, the worker starts.
    token_auth: str = Field("", alias="TOKEN_AUTH", repr=False)

    @classmethod
    def broken_together(cls, given: Mapping[str, str]) -> list[str]:
        """Return the rules that several variables break with each other."""
        problems = super().broken_together(given)
        missing = [name for name in _VOICE_MODELS if name not in given]
        if 0 < len(missing) < len(_VOICE_MODELS):
            problems.append(f"{missing[0]} must be set when another VOICE_ model is; all or none")
        return problems

    @property
    def registered_name(self) -> str:
        """The name the worker registers under; "" makes LiveKit send it to every room."""
        return "" if self.agent_dispatch is AgentDispatch.AUTOMATIC else self.agent_name

    @property
    def voice_models(self) -> VoiceModels | None:
        """The models of the voice agent; None means the parrot talks."""
        if not self.voice_stt:
            return None
        return VoiceModels(stt=self.voice_stt, llm=self.voice_llm, tts=self.voice_tts)

    @property
    def follows_instructions(self) -> bool:
        """Whether the voice agent follows a job's metadata: by default what a backend wrote.

        With TOKEN_AUTH=key only backends get tokens, and with them a say in metadata.
        """
        if self.voice_instructions is VoiceInstructions.BACKEND:
            return self.token_auth == TokenAuth.KEY
        return self.voice_instructions is VoiceInstructions.CALLER
