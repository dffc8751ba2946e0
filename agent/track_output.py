"""Lets an AgentSession speak on a track that is published already.

RoomIO's own output would publish a track only once a human is there.
"""

import asyncio
import time
from collections.abc import Callable

from livekit import rtc
from livekit.agents.voice import io

from agent.background import start_task


class TrackOutput(io.AudioOutput):
    """Plays what a session says, segment by segment, and reports how far each one got.

    A session waits for that report before it says anything else, so without it `end` is called.
    """

    def __init__(self, source: rtc.AudioSource, end: Callable[[str], None]) -> None:
        super().__init__(
            label="Track",
            capabilities=io.AudioOutputCapabilities(pause=False),
            sample_rate=source.sample_rate,
        )
        self._source = source
        self._end = end
        self._pushed_seconds = 0.0
        self._interrupted = asyncio.Event()
        self._finishing: asyncio.Task[None] | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Play one frame; the session waits while the track's queue is full."""
        if self._finishing:
            await self._finishing
        await super().capture_frame(frame)
        if not self._pushed_seconds:
            self.on_playback_started(created_at=time.time())
        self._pushed_seconds += frame.duration
        await self._source.capture_frame(frame)

    def flush(self) -> None:
        """The segment is complete: report once it has been played or was interrupted."""
        super().flush()
        if self._pushed_seconds:
            self._finishing = start_task(self._finish(), "playing a segment", self._end)

    def clear_buffer(self) -> None:
        """Be silent at once."""
        if self._pushed_seconds:
            self._interrupted.set()

    async def _finish(self) -> None:
        endings = [
            asyncio.create_task(self._source.wait_for_playout()),
            asyncio.create_task(self._interrupted.wait()),
        ]
        ended, _ = await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
        for ending in endings:
            ending.cancel()
        for ending in ended:
            ending.result()
        unplayed = self._source.queued_duration
        if interrupted := self._interrupted.is_set():
            self._source.clear_queue()
        played = max(self._pushed_seconds - unplayed, 0.0)
        self._pushed_seconds, self._finishing = 0.0, None
        self._interrupted.clear()
        self.on_playback_finished(playback_position=played, interrupted=interrupted)
