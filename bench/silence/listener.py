"""A human with an ear and a voice, who knows when each agent was first and last heard."""

import asyncio
import time
from collections.abc import Collection
from contextlib import aclosing

from livekit import rtc

from bench.reliability.visitor import Visitor
from tests.system.caller import SPEECH_RATE

_AUDIBLE = 500  # of 32,767
# What is heard here is only ever measured: few samples are enough.
_SAMPLE_RATE = 8_000
_FRAME_MS = 20


class Listener(Visitor):
    """A visitor who is subscribed to every track, and may speak.

    Agents are told apart by their identities: one that reconnects has a new sid.

    Attributes:
        first_heard: When each identity was first heard, by the monotonic clock.
        last_heard: When it was last heard.
    """

    def __init__(self) -> None:
        super().__init__(is_subscribed=True)
        self.first_heard: dict[str, float] = {}
        self.last_heard: dict[str, float] = {}
        self._listening: dict[str, asyncio.Task[None]] = {}  # by track
        self._room.on("track_subscribed", self._on_track_subscribed)
        self._room.on("track_unsubscribed", self._on_track_unsubscribed)

    @property
    def identities(self) -> frozenset[str]:
        """The identities of everybody else who is there."""
        return frozenset(self._room.remote_participants)

    async def hears(
        self, *, until: float, other_than: Collection[str] = frozenset()
    ) -> float | None:
        """Wait for somebody new, and return the moment of their first sound; None: nobody came."""
        if not await self._wait(lambda: bool(self.first_heard.keys() - set(other_than)), until):
            return None
        return min(at for who, at in self.first_heard.items() if who not in other_than)

    async def say(self, pcm: bytes) -> None:
        """Speak, in real time: mono samples of int16 at SPEECH_RATE, into a microphone."""
        source = rtc.AudioSource(SPEECH_RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self._room.local_participant.publish_track(track, options)
        step = 2 * SPEECH_RATE // 50
        for start in range(0, len(pcm), step):
            piece = pcm[start : start + step]
            await source.capture_frame(rtc.AudioFrame(piece, SPEECH_RATE, 1, len(piece) // 2))
        await source.wait_for_playout()

    async def leave(self) -> None:
        """Leave, and stop listening."""
        await super().leave()
        for task in self._listening.values():
            task.cancel()
        await asyncio.gather(*self._listening.values(), return_exceptions=True)

    def _on_track_subscribed(
        self,
        track: rtc.RemoteTrack,
        publication: rtc.RemoteTrackPublication,
        speaker: rtc.RemoteParticipant,
    ) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            listening = asyncio.create_task(self._listen(track, speaker.identity))
            self._listening[publication.sid] = listening

    def _on_track_unsubscribed(
        self, _track: rtc.RemoteTrack, publication: rtc.RemoteTrackPublication, *_: object
    ) -> None:
        # WebRTC gives its receiver to the next track, whose sound the old one then has too.
        if listening := self._listening.get(publication.sid):
            listening.cancel()

    async def _listen(self, track: rtc.RemoteTrack, identity: str) -> None:
        stream = rtc.AudioStream.from_track(
            track=track, sample_rate=_SAMPLE_RATE, frame_size_ms=_FRAME_MS
        )
        async with aclosing(stream):
            async for event in stream:
                if max(event.frame.data) > _AUDIBLE:
                    self._note(identity)

    def _note(self, identity: str) -> None:
        self.last_heard[identity] = time.monotonic()
        if identity not in self.first_heard:
            self.first_heard[identity] = self.last_heard[identity]
            self._changed.set()
