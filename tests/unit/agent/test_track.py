import asyncio

import pytest
from livekit import rtc

from agent.track import SAMPLE_RATE, Track

LOUD = rtc.AudioFrame(b"\x00\x40" * 4_800, SAMPLE_RATE, 1, 4_800)


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


def test_a_hushed_track_plays_silence_whoever_plays_on() -> None:
    """An agent that may have been replaced must not be heard; and may go on where it is."""

    async def run() -> list[bool]:
        track = Track()
        heard: list[int] = []
        hearing = asyncio.create_task(loud_frames(track, heard))
        was_heard = []
        for hush_or_speak in (track.speak_again, track.hush, track.speak_again):
            hush_or_speak()
            heard.clear()
            await track.play(LOUD)
            await asyncio.sleep(0.1)
            was_heard.append(bool(heard))
        hearing.cancel()
        await asyncio.wait({hearing})
        await track.aclose()
        return was_heard

    assert [True, False, True] == asyncio.run(run())


def test_hushing_takes_back_what_was_not_played_yet() -> None:
    """Up to 200 ms wait in the queue, and nobody must hear them."""

    async def run() -> float:
        track = Track()
        await track.source.capture_frame(rtc.AudioFrame.create(SAMPLE_RATE, 1, 4_800))
        track.hush()
        queued = track.source.queued_duration
        await track.aclose()
        return queued

    assert 0.0 == asyncio.run(run())


async def loud_frames(track: Track, heard: list[int]) -> None:
    """Note how loud each frame is that is not silent."""
    stream = rtc.AudioStream.from_track(track=track.local, sample_rate=SAMPLE_RATE)
    try:
        async for event in stream:
            heard += filter(None, [max(map(abs, event.frame.data))])
    finally:
        await stream.aclose()
