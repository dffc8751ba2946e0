import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession, inference, stt

from agent.settings import VoiceModels
from agent.track_output import TrackOutput
from agent.voice import Voice, voice_session

if TYPE_CHECKING:
    from agent.track import Track

MODELS = VoiceModels(stt="deepgram/nova-3:en", llm="openai/gpt-4.1-mini", tts="cartesia/sonic-3")


class FakeSource:
    """An audio source that plays at once, never when `stuck`, or not at all when `broken`."""

    sample_rate = 24_000

    def __init__(self, *, stuck: bool = False, broken: bool = False) -> None:
        self.stuck, self.broken = stuck, broken
        self.captured_seconds = 0.0
        self.cleared = False
        self.heard = asyncio.Event()

    @property
    def queued_duration(self) -> float:
        """Seconds that were captured and not yet played."""
        return self.captured_seconds if self.stuck else 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        self.captured_seconds += frame.duration
        self.heard.set()

    async def wait_for_playout(self) -> None:
        if self.broken:
            raise RuntimeError("a made-up bug")
        if self.stuck:
            await asyncio.Event().wait()

    def clear_queue(self) -> None:
        self.cleared = True


async def half_a_second() -> AsyncIterator[rtc.AudioFrame]:
    """Yield half a second of audio in ten frames."""
    for _ in range(10):
        yield rtc.AudioFrame(bytes(2 * 1_200), 24_000, 1, 1_200)


def say(source: FakeSource, *, interrupt: bool) -> bool:
    """Have a session say something on our track; return whether it was interrupted."""

    async def run() -> bool:
        session: AgentSession[None] = AgentSession(vad=None)
        session.output.audio = TrackOutput(cast("rtc.AudioSource", source), lambda _: None)
        await session.start(Agent(instructions=""))
        speech = session.say("hello", audio=half_a_second())
        if interrupt:
            await source.heard.wait()
            await speech.interrupt()
        await speech.wait_for_playout()
        await session.aclose()
        return speech.interrupted

    return asyncio.run(run())


def test_a_session_speaks_on_our_track_to_its_end() -> None:
    """The track is published before the session exists, so the session must come to it."""
    source = FakeSource()

    interrupted = say(source, interrupt=False)

    assert (False, 0.5) == (interrupted, round(source.captured_seconds, 3))


def test_an_interrupted_session_is_silent_at_once() -> None:
    """A caller who interrupts must not hear the rest of the sentence."""
    source = FakeSource(stuck=True)

    interrupted = say(source, interrupt=True)

    assert (True, True) == (interrupted, source.cleared)


def test_a_session_that_cannot_be_heard_ends_the_job() -> None:
    """It would wait for ever for its first sentence to be over, and the room look attended."""

    async def run() -> str:
        ended = asyncio.Queue[str]()
        output = TrackOutput(cast("rtc.AudioSource", FakeSource(broken=True)), ended.put_nowait)
        async for frame in half_a_second():
            await output.capture_frame(frame)
        output.flush()
        return await asyncio.wait_for(ended.get(), 5)

    assert asyncio.run(run()) == "playing a segment has failed"


async def released() -> None:
    """Release nobody."""


class FakeTrack:
    """A track whose listeners cannot be waited for."""

    source = FakeSource()

    async def wait_for_listener(self) -> None:
        raise RuntimeError("a made-up bug")


def test_a_greeting_that_fails_ends_the_job(caplog: pytest.LogCaptureFixture) -> None:
    """An agent that says nothing is none; the next one may do better."""

    async def run() -> str:
        session: AgentSession[None] = AgentSession(vad=None)
        ended = asyncio.Queue[str]()
        voice = Voice(lambda: session, None, ended.put_nowait, released)
        await voice.start(rtc.Room(), cast("Track", FakeTrack()))
        reason = await asyncio.wait_for(ended.get(), 5)
        await session.aclose()
        return reason

    assert asyncio.run(run()) == "the greeting has failed"
    assert "a made-up bug" in caplog.text


def test_a_voice_is_built_from_three_model_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """LiveKit Inference needs no account per provider: a name is all there is to set."""
    monkeypatch.setenv("LIVEKIT_API_KEY", "key")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "a-made-up-secret-of-more-than-thirty-two-bytes")

    async def run() -> tuple[bool, str, str]:
        session = voice_session(MODELS, inference.VAD())
        assert isinstance(session.stt, stt.STT)
        assert session.llm is not None
        assert session.tts is not None
        return session.vad is not None, session.stt.model, session.tts.model

    assert asyncio.run(run()) == (True, "deepgram/nova-3", "cartesia/sonic-3")
