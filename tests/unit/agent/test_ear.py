import asyncio
from typing import cast

from livekit import rtc
from livekit.agents import vad

from agent.hearing import Ear


class FakeDetector:
    """A detector, and the stream of its findings, that breaks on the first sound."""

    def stream(self) -> "FakeDetector":
        return self

    def push_frame(self, _: rtc.AudioFrame) -> None:
        raise RuntimeError("a made-up bug")

    def __aiter__(self) -> "FakeDetector":
        return self

    async def __anext__(self) -> vad.VADEvent:
        await asyncio.Event().wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Nothing is open."""


def test_an_ear_that_takes_in_no_sound_fails() -> None:
    """It would wait for the detector for ever, and its human be ignored."""

    async def run() -> set[asyncio.Task[None]]:
        source = rtc.AudioSource(24_000, 1)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        ear = Ear(
            detector=cast("vad.VAD", FakeDetector()),
            on_voice=lambda: None,
            on_utterance=lambda _: None,
        )
        listening = asyncio.create_task(ear.listen(track))
        await source.capture_frame(rtc.AudioFrame(bytes(4_800), 24_000, 1, 2_400))
        ended, _ = await asyncio.wait({listening}, timeout=10)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        return ended

    (ear,) = asyncio.run(run())

    assert "a made-up bug" in repr(ear.exception())
