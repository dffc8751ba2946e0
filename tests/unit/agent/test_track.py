import asyncio

import pytest
from livekit import rtc

from agent.track import SAMPLE_RATE, Track


def test_playing_is_silent_at_once_when_cancelled() -> None:
    """A human who interrupts must not hear what is still in the queue."""

    async def run() -> tuple[bool, float]:
        track = Track()
        playing = asyncio.create_task(track.play(rtc.AudioFrame.create(SAMPLE_RATE, 1, 48_000)))
        while not track.source.queued_duration:  # noqa: ASYNC110 (the SDK has no event for it)
            await asyncio.sleep(0.001)
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        queued = track.source.queued_duration
        await track.aclose()
        return playing.cancelled(), queued

    assert (True, 0.0) == asyncio.run(run())


def test_playing_lasts_as_long_as_the_sound() -> None:
    """The agent shows that it speaks for as long as it is heard."""

    async def run() -> float:
        track = Track()
        started = asyncio.get_running_loop().time()
        await track.play(rtc.AudioFrame.create(SAMPLE_RATE, 1, 7_000))
        await track.aclose()
        return asyncio.get_running_loop().time() - started

    assert asyncio.run(run()) > 0.2
