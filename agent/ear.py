"""Listens to one human's audio track and says when they speak and what they said."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from livekit import rtc
from livekit.agents import utils, vad

from agent.track import SAMPLE_RATE

# A cough is no reason for the agent to fall silent.
_INTERRUPTION_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Ear:
    """What is done about a voice, whosever it is.

    Attributes:
        detector: livekit-agents' voice activity detection, on this device.
        on_voice: Called again and again while somebody really speaks.
        on_utterance: Called with all that was said once they have stopped.
    """

    detector: vad.VAD
    on_voice: Callable[[], None]
    on_utterance: Callable[[rtc.AudioFrame], None]

    async def listen(self, track: rtc.Track) -> None:
        """Listen until the track ends or the task is cancelled."""
        audio = rtc.AudioStream.from_track(track=track, sample_rate=SAMPLE_RATE, num_channels=1)
        voices = self.detector.stream()
        try:
            async with asyncio.TaskGroup() as tasks:
                # In a group, so that one that fails takes the other with it.
                tasks.create_task(_feed(audio, voices))
                async for event in voices:
                    self._attend(event)
        finally:
            await voices.aclose()
            await audio.aclose()

    def _attend(self, event: vad.VADEvent) -> None:
        if event.type is vad.VADEventType.END_OF_SPEECH:
            self.on_utterance(utils.combine_frames(event.frames))
        elif event.speaking and event.speech_duration >= _INTERRUPTION_SECONDS:
            self.on_voice()


async def _feed(audio: rtc.AudioStream, voices: vad.VADStream) -> None:
    async for event in audio:
        voices.push_frame(event.frame)
    voices.end_input()
