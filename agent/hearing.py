"""Which tracks of a room the parrot hears: one of each human, of so many humans."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from livekit import rtc
from livekit.agents import utils, vad
from livekit.rtc.room import EventTypes

from agent.humans import is_human
from agent.track import SAMPLE_RATE

# A cough is no reason for the agent to fall silent.
_INTERRUPTION_SECONDS = 0.5
# Each costs 5 % of a processor core, whoever pays for it, and a worker has up to 25 calls. Where
# more than this many talk to one parrot, nobody understands it.
_HUMANS = 8
_CHANGES: tuple[EventTypes, ...] = (
    "connection_state_changed",
    "participant_connected",
    "participant_disconnected",
    "track_muted",
    "track_published",
    "track_unmuted",
    "track_unpublished",
)


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


class Hearing:
    """Subscribes to the tracks that are worth it, and to no other, whenever they may have changed.

    For rooms that are joined without automatic subscription.
    """

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._heard: list[rtc.RemoteTrackPublication] = []
        for change in _CHANGES:
            room.on(change, self._choose)

    def _choose(self, *_: object) -> None:
        participants = self._room.remote_participants.values()
        heard = tracks_to_hear(participants)
        published = [one for who in participants for one in who.track_publications.values()]
        for given_up in self._heard:
            if given_up not in heard and given_up in published:
                given_up.set_subscribed(False)
        for found in heard:
            if found not in self._heard:
                found.set_subscribed(True)
        self._heard = heard


def tracks_to_hear(
    participants: Iterable[rtc.RemoteParticipant],
) -> list[rtc.RemoteTrackPublication]:
    """Return one audio track of each human. Who came first is heard first, and goes on being."""
    tracks = (_track_of(participant) for participant in participants if is_human(participant))
    return [track for track in tracks if track][:_HUMANS]


def _track_of(participant: rtc.RemoteParticipant) -> rtc.RemoteTrackPublication | None:
    """Return their first microphone, else their first audio; a muted one if there is no other."""
    tracks = participant.track_publications.values()
    audio = (track for track in tracks if track.kind == rtc.TrackKind.KIND_AUDIO)
    microphone = rtc.TrackSource.SOURCE_MICROPHONE
    return min(audio, key=lambda track: (track.muted, track.source != microphone), default=None)
