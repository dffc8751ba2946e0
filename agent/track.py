"""The agent's one audio track, and what is played on it."""

import asyncio
from collections.abc import Iterator

from livekit import rtc

# Opus speech is 24 kHz at best, and livekit-agents' models speak at this rate.
SAMPLE_RATE = 24_000
# Short, so that playback stops at once when a human interrupts.
_QUEUE_MS = 200
_CHUNK_SAMPLES = SAMPLE_RATE // 20


class Source(rtc.AudioSource):
    """Plays what it is given, or silence of the same length."""

    is_hushed = False

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Play a frame; whoever plays on does not notice that nobody hears it."""
        await super().capture_frame(_silence_like(frame) if self.is_hushed else frame)


def _silence_like(frame: rtc.AudioFrame) -> rtc.AudioFrame:
    return rtc.AudioFrame.create(frame.sample_rate, frame.num_channels, frame.samples_per_channel)


class Track:
    """An audio track of ours: made before the join, published right after it."""

    def __init__(self) -> None:
        self.source = Source(SAMPLE_RATE, 1, queue_size_ms=_QUEUE_MS)
        self.local = rtc.LocalAudioTrack.create_audio_track("agent", self.source)

    async def publish(self, participant: rtc.LocalParticipant) -> None:
        """Publish the track; until then an agent may stay unseen for 3 s (livekit-behaviour 46)."""
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        self._publication = await participant.publish_track(self.local, options)

    async def wait_for_listener(self) -> None:
        """Wait until somebody has subscribed, so that the first word is not lost."""
        await self._publication.wait_for_subscription()

    async def play(self, frame: rtc.AudioFrame) -> None:
        """Play a frame to its end; when cancelled, be silent at once."""
        try:
            for chunk in _chunks(frame):
                await self.source.capture_frame(chunk)
            await self.source.wait_for_playout()
        except asyncio.CancelledError:
            self.source.clear_queue()
            raise

    def hush(self) -> None:
        """Be silent at once, whoever plays on."""
        self.source.is_hushed = True
        self.source.clear_queue()

    def speak_again(self) -> None:
        """Let what is played from now on be heard."""
        self.source.is_hushed = False

    async def aclose(self) -> None:
        """Free the native source."""
        await self.source.aclose()


def _chunks(frame: rtc.AudioFrame) -> Iterator[rtc.AudioFrame]:
    """Cut a mono frame of int16 samples into pieces of 50 ms."""
    samples = frame.data
    for start in range(0, len(samples), _CHUNK_SAMPLES):
        piece = samples[start : start + _CHUNK_SAMPLES]
        yield rtc.AudioFrame(piece.tobytes(), frame.sample_rate, 1, len(piece))
