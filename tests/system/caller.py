"""A human who calls an agent, for tests: hears the agent, sees its state, speaks from a file."""

import array
import asyncio
import threading
import wave
from collections import defaultdict
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Self, TypeVar

from livekit import api, rtc

from tests.processes import API_KEY, API_SECRET

T = TypeVar("T")
SPEECH_RATE = 48_000
_AUDIBLE = 500  # of 32,767


def join_token(room_name: str, identity: str) -> str:
    """Return a token that lets a plain participant join."""
    grants = api.VideoGrants(room_join=True, room=room_name)
    token = api.AccessToken(API_KEY, API_SECRET).with_identity(identity)
    return token.with_grants(grants).to_jwt()


def read_48k(speech: Path) -> bytes:
    """Return the samples of a mono WAV file at the rate of our track."""
    with wave.open(str(speech)) as file:
        rate, pcm = file.getframerate(), file.readframes(file.getnframes())
    resampler = rtc.AudioResampler(rate, SPEECH_RATE)
    frames = resampler.push(bytearray(pcm)) + resampler.flush()
    return b"".join(frame.data.tobytes() for frame in frames)


class Caller:
    """A participant with an event loop of its own, so that tests stay synchronous."""

    def __init__(
        self, url: str, room_name: str, identity: str = "alice", *, token: str = ""
    ) -> None:
        """Join, with a token of the token server's or else with one of our own."""
        self.heard_seconds = 0.0
        self.heard_from: defaultdict[str, float] = defaultdict(float)
        self.agent_states: list[str] = []
        self.listened_to: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._listening: dict[str, asyncio.Task[None]] = {}  # by track
        self._run(self._join(url, token or join_token(room_name, identity)))

    @property
    def agents(self) -> list[str]:
        """The `lk.agent.name` of every agent that the human sees now."""
        present = list(self._room.remote_participants.values())
        agent = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        return [one.attributes.get("lk.agent.name", "?") for one in present if one.kind == agent]

    @property
    def identities(self) -> list[str]:
        """The identities of the others."""
        return list(self._room.remote_participants)

    def say(self, speech: Path) -> None:
        """Speak a mono WAV file, then be silent for a second, in real time."""
        self._run(self._say(read_48k(speech) + bytes(2 * SPEECH_RATE)))

    def publish(self) -> None:
        """Publish one more microphone."""
        self._run(self._publish())

    def unpublish(self, sid: str) -> None:
        """Take a track away."""
        self._run(self._room.local_participant.unpublish_track(sid))

    def ask(self, identity: str, method: str) -> str:
        """Call a method of somebody in the room; return the answer."""
        return self._run(self._ask(identity, method))

    def leave(self) -> None:
        """Leave the room."""
        self._run(self._room.disconnect())

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    async def _join(self, url: str, token: str) -> None:
        self._room = rtc.Room(loop=self._loop)
        self._room.on("track_subscribed", self._on_track_subscribed)
        self._room.on("track_unsubscribed", self._on_track_unsubscribed)
        self._room.on("local_track_subscribed", lambda track: self.listened_to.append(track.sid))
        self._room.on("participant_attributes_changed", self._on_attributes_changed)
        await self._room.connect(url, token)
        self._source = rtc.AudioSource(SPEECH_RATE, 1, loop=self._loop)
        await self._publish()

    async def _publish(self) -> None:
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self._room.local_participant.publish_track(track, options)

    def _on_track_subscribed(
        self,
        track: rtc.RemoteTrack,
        publication: rtc.RemoteTrackPublication,
        speaker: rtc.RemoteParticipant,
    ) -> None:
        listening = self._loop.create_task(self._listen(track, speaker.identity))
        self._listening[publication.sid] = listening

    def _on_track_unsubscribed(
        self, _track: rtc.RemoteTrack, publication: rtc.RemoteTrackPublication, *_: object
    ) -> None:
        # WebRTC gives its receiver to the next track, whose sound the old one then has too.
        if listening := self._listening.get(publication.sid):
            listening.cancel()

    async def _ask(self, identity: str, method: str) -> str:
        us = self._room.local_participant
        return await us.perform_rpc(destination_identity=identity, method=method, payload="{}")

    def _on_attributes_changed(self, changed: dict[str, str], _: rtc.Participant) -> None:
        if state := changed.get("lk.agent.state"):
            self.agent_states.append(state)

    async def _listen(self, track: rtc.RemoteTrack, identity: str) -> None:
        async for event in rtc.AudioStream.from_track(track=track):
            if max(map(abs, event.frame.data)) > _AUDIBLE:
                self.heard_seconds += event.frame.duration
                self.heard_from[identity] += event.frame.duration

    async def _say(self, pcm: bytes) -> None:
        samples = array.array("h", pcm)
        step = SPEECH_RATE // 50
        for start in range(0, len(samples), step):
            piece = samples[start : start + step].tobytes()
            await self._source.capture_frame(rtc.AudioFrame(piece, SPEECH_RATE, 1, len(piece) // 2))
        await self._source.wait_for_playout()

    async def _close(self) -> None:
        await self._room.disconnect()
        for task in self._listening.values():
            task.cancel()
        await asyncio.gather(*self._listening.values(), return_exceptions=True)

    def __enter__(self) -> Self:
        """Be there for a while."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave, and stop the loop."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
