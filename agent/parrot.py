"""The agent that needs no key and no network: it says back what it hears.

Every human is listened to on one track of theirs; one utterance is played at a time.
"""

import array
import asyncio
import contextlib
import logging
import math
from collections.abc import Callable

from livekit import rtc
from livekit.agents import AutoSubscribe, utils, vad
from livekit.agents.types import ATTRIBUTE_AGENT_STATE

from agent.background import start_task
from agent.hearing import Ear, Hearing
from agent.track import SAMPLE_RATE, Track

_NOTES_HZ = (660.0, 880.0)
_NOTE_SECONDS = 0.22
_LOUDNESS = 8_000  # of 32,767
# A listener counts as one before sound reaches them: a loaded machine takes up to a second more,
# and half a second of greeting would be over.
_GREETED_AGAIN_AFTER = 1.0
# Where many talk at once, what does not fit is not said back: the parrot would lag behind them.
_UTTERANCES_WAITING = 3
logger = logging.getLogger(__name__)


def greeting_pcm(sample_rate: int) -> bytes:
    """Return about half a second of sound: mono int16 samples in this machine's byte order."""
    length = int(sample_rate * _NOTE_SECONDS)
    samples = (
        round(_LOUDNESS * math.sin(math.pi * i / length) * _wave(hertz, i / sample_rate))
        for hertz in _NOTES_HZ
        for i in range(length)
    )
    return array.array("h", samples).tobytes()


def _wave(hertz: float, seconds: float) -> float:
    """Return one point of a tone with a soft overtone, within -1 and 1."""
    turn = math.tau * hertz * seconds
    return 0.8 * math.sin(turn) + 0.2 * math.sin(2 * turn)


class Parrot:
    """Greets twice, then repeats every utterance; shows `lk.agent.state` to LiveKit's components.

    A mute or deaf parrot would leave a room that looks attended, so it calls `end`.
    """

    auto_subscribe = AutoSubscribe.SUBSCRIBE_NONE

    def __init__(self, room: rtc.Room, detector: vad.VAD, end: Callable[[str], None]) -> None:
        self._end = end
        self._hearing = Hearing(room)
        self._ear = Ear(detector=detector, on_voice=self.hush, on_utterance=self.say)
        self._utterances: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue(_UTTERANCES_WAITING)
        self._listening: dict[str, asyncio.Task[None]] = {}
        self._talking: asyncio.Task[None] | None = None
        self._playing: asyncio.Task[None] | None = None
        room.on("track_subscribed", self._on_track_subscribed)
        room.on("track_unsubscribed", self._on_track_unsubscribed)

    async def start(self, room: rtc.Room, track: Track) -> None:
        """Start to talk in a room, on the track that is published there."""
        talk = self._talk(room.local_participant, track)
        self._talking = start_task(talk, "the parrot's talking", self._end)

    async def aclose(self) -> None:
        """Stop listening and talking."""
        tasks = (self._talking, self._playing, *self._listening.values())
        await utils.aio.cancel_and_wait(*(task for task in tasks if task))

    def say(self, utterance: rtc.AudioFrame) -> None:
        """Say something when it is its turn."""
        with contextlib.suppress(asyncio.QueueFull):
            self._utterances.put_nowait(utterance)

    def hush(self) -> None:
        """Let the human who interrupts speak; what was cut off is not said again."""
        if self._playing:
            self._playing.cancel()

    def _on_track_subscribed(
        self,
        track: rtc.RemoteTrack,
        publication: rtc.RemoteTrackPublication,
        *_: object,
    ) -> None:
        listening = start_task(self._ear.listen(track), "listening to a track", self._on_deaf_ear)
        self._listening[publication.sid] = listening

    def _on_track_unsubscribed(
        self, _track: rtc.RemoteTrack, publication: rtc.RemoteTrackPublication, *_: object
    ) -> None:
        if listening := self._listening.pop(publication.sid, None):
            listening.cancel()

    def _on_deaf_ear(self, reason: str) -> None:
        # One track that cannot be heard must not take the agent away from the others.
        if all(listening.done() for listening in self._listening.values()):
            self._end(reason)

    async def _talk(self, us: rtc.LocalParticipant, track: Track) -> None:
        await _show(us, "listening")
        await track.wait_for_listener()
        utterance = _greeting()
        while True:
            self._playing = asyncio.create_task(track.play(utterance))
            await _show(us, "speaking")
            await asyncio.wait({self._playing})
            if not self._playing.cancelled():
                self._playing.result()  # what cannot be played now never will be
            await _show(us, "listening")
            utterance = await self._utterances.get()


async def _show(us: rtc.LocalParticipant, state: str) -> None:
    try:
        await us.set_attributes({ATTRIBUTE_AGENT_STATE: state})
    except Exception:  # the SDK raises no narrower one, and a label is not worth a job
        logger.warning("could not show the agent's state", exc_info=True)


def _greeting() -> rtc.AudioFrame:
    pause = bytes(2 * round(SAMPLE_RATE * _GREETED_AGAIN_AFTER))
    pcm = pause.join([greeting_pcm(SAMPLE_RATE)] * 2)
    return rtc.AudioFrame(pcm, SAMPLE_RATE, 1, len(pcm) // 2)
