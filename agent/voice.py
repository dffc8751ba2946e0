"""The voice agent: speech to text, a language model, text to speech, all by LiveKit Inference."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from livekit import rtc
from livekit.agents import Agent, AgentSession, AutoSubscribe, inference, room_io, vad

from agent.background import start_task
from agent.end_call import end_call_tool
from agent.settings import VoiceModels
from agent.track import Track
from agent.track_output import TrackOutput

if TYPE_CHECKING:
    import asyncio

_INSTRUCTIONS = (
    "You are a friendly voice assistant in a live call. Answer briefly, in spoken language,"
    " without lists, markup or emoji."
)
_GREETING = "Greet the caller in one short sentence and offer your help."
# Text on `lk.chat` is taken from the one participant whom the session listens to, as their turn.
_ROOM_OPTIONS = room_io.RoomOptions(
    # What was said before the agent came arrives as bytes of whoever sends them, for a track that
    # they name: anybody could put words into another one's mouth.
    audio_input=room_io.AudioInputOptions(pre_connect_audio=False),
    audio_output=False,
    # Who leaves the room, and when, is decided in one place for every kind of agent: not here.
    close_on_disconnect=False,
)


class Voice:
    """An AgentSession on a track of ours, which is there before the models are.

    A session that gave up would leave a mute agent behind, and a room that looks attended, so
    `end` is called. When the caller is done, the model may end the call: `release` keeps other
    agents away.
    """

    auto_subscribe = AutoSubscribe.AUDIO_ONLY

    def __init__(
        self,
        build_session: Callable[[], AgentSession[None]],
        instructions: str | None,
        end: Callable[[str], None],
        release: Callable[[], Awaitable[None]],
    ) -> None:
        self._build_session = build_session
        self._agent = Agent(
            instructions=instructions or _INSTRUCTIONS, tools=[end_call_tool(release, end)]
        )
        self._end = end
        self._greeting: asyncio.Task[None] | None = None

    async def start(self, room: rtc.Room, track: Track) -> None:
        """Start a session in a room, on the track that is published there."""
        # This takes half a second, so not before the track is published.
        session = self._build_session()
        session.on("close", lambda _: self._end("the voice session has ended"))
        session.output.audio = TrackOutput(track.source, self._end)
        # A host would let every participant read the session, and steer it (`lk.agent.session`).
        await session.start(self._agent, room=room, room_options=_ROOM_OPTIONS, session_host=False)
        self._greeting = start_task(_greet_listener(session, track), "the greeting", self._end)

    async def start_in_console(self) -> None:
        """Start a session on this machine's microphone and loudspeaker."""
        session = self._build_session()
        session.on("close", lambda _: self._end("the voice session has ended"))
        await session.start(self._agent)
        session.generate_reply(instructions=_GREETING)

    async def aclose(self) -> None:
        """Give up waiting for a listener; livekit-agents closes the session with the job."""
        if self._greeting:
            self._greeting.cancel()


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
