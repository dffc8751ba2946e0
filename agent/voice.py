"""The voice agent: speech to text, a language model, text to speech, all by LiveKit Inference."""

import asyncio
from collections.abc import Callable

from livekit import rtc
from livekit.agents import Agent, AgentSession, inference, room_io, vad

from agent.settings import VoiceModels
from agent.track import Track
from agent.track_output import TrackOutput

_INSTRUCTIONS = (
    "You are a friendly voice assistant in a live call. Answer briefly, in spoken language,"
    " without lists, markup or emoji."
)
_GREETING = "Greet the caller in one short sentence and offer your help."
# Who leaves the room, and when, is decided in one place for every kind of agent: not here.
_ROOM_OPTIONS = room_io.RoomOptions(audio_output=False, close_on_disconnect=False)


class Voice:
    """An AgentSession on a track of ours, which is there before the models are."""

    def __init__(
        self,
        models: VoiceModels,
        detector: vad.VAD,
        instructions: str | None,
        end: Callable[[], None],
    ) -> None:
        self._models = models
        self._detector = detector
        self._instructions = instructions or _INSTRUCTIONS
        self._end = end
        self._greeting: asyncio.Task[None] | None = None

    async def start(self, room: rtc.Room, track: Track) -> None:
        """Start a session in a room, on the track that is published there."""
        session = self._build_session()
        session.output.audio = TrackOutput(track.source)
        agent = Agent(instructions=self._instructions)
        await session.start(agent, room=room, room_options=_ROOM_OPTIONS)
        self._greeting = asyncio.create_task(_greet_listener(session, track))

    async def start_in_console(self) -> None:
        """Start a session on this machine's microphone and loudspeaker."""
        session = self._build_session()
        await session.start(Agent(instructions=self._instructions))
        session.generate_reply(instructions=_GREETING)

    async def aclose(self) -> None:
        """Give up waiting for a listener; livekit-agents closes the session with the job."""
        if self._greeting:
            self._greeting.cancel()

    def _build_session(self) -> AgentSession[None]:
        # This takes half a second, so not before the track is published.
        session = voice_session(self._models, self._detector)
        # A session that gave up would leave a mute agent behind, and a room that looks attended.
        session.on("close", lambda _: self._end())
        return session


async def _greet_listener(session: AgentSession[None], track: Track) -> None:
    await track.wait_for_listener()
    session.generate_reply(instructions=_GREETING)


def voice_session(models: VoiceModels, detector: vad.VAD) -> AgentSession[None]:
    """Build a session; the models' key is the worker's LIVEKIT_API_KEY, in the environment."""
    return AgentSession(
        stt=inference.STT.from_model_string(models.stt),
        llm=inference.LLM.from_model_string(models.llm),
        tts=inference.TTS.from_model_string(models.tts),
        vad=detector,
        # The agent stays in the room while it waits for the last words of somebody who has left.
        session_close_transcript_timeout=0.2,
    )
