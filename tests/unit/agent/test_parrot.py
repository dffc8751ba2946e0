import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest
from livekit import rtc

from agent.parrot import Parrot
from tests.processes import wait_until

if TYPE_CHECKING:
    from livekit.agents import vad

    from agent.track import Track


GREETING = 1.88  # seconds: two of 0.44, and one between them


class FakeRoom(rtc.EventEmitter[str]):
    """A room, and the parrot in it, that remembers the states it showed."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__()
        self.local_participant = self
        self.states: list[str] = []
        self._broken = broken

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        if self._broken:
            raise RuntimeError("engine closed")
        self.states.append(attributes["lk.agent.state"])


class FakeTrack:
    """A track that plays at once, but for what lasts two seconds or more; or it breaks."""

    def __init__(self, *, breaks_before: str = "") -> None:
        self.played: list[float] = []
        self._breaks_before = breaks_before

    async def wait_for_listener(self) -> None:
        if self._breaks_before == "a listener":
            raise RuntimeError("a made-up bug")

    async def play(self, frame: rtc.AudioFrame) -> None:
        if self._breaks_before == "a sound":
            raise RuntimeError("a made-up bug")
        self.played.append(round(frame.duration, 2))
        if frame.duration >= 2:
            await asyncio.Event().wait()


class FakeVoices:
    """What a detector finds in one track: nothing, until it is told to fail."""

    def __init__(self) -> None:
        self.fails = asyncio.Event()

    def push_frame(self, _: rtc.AudioFrame) -> None:
        """Hear nothing."""

    def __aiter__(self) -> "FakeVoices":
        return self

    async def __anext__(self) -> "vad.VADEvent":
        await self.fails.wait()
        raise RuntimeError("a made-up bug")

    async def aclose(self) -> None:
        """Nothing is open."""


class FakeDetector:
    """A detector that listens to as many tracks as it is given."""

    def __init__(self) -> None:
        self.voices: list[FakeVoices] = []

    def stream(self) -> FakeVoices:
        self.voices.append(FakeVoices())
        return self.voices[-1]


@dataclass(frozen=True)
class FakePublication:
    """A track that a participant has published."""

    sid: str


def told_of(caplog: pytest.LogCaptureFixture, count: int) -> bool:
    """Say whether the log has so many lines about tracks that are not heard any more."""
    return caplog.messages.count("listening to a track has failed") == count


def frame(seconds: float) -> rtc.AudioFrame:
    """Return silence of that length."""
    return rtc.AudioFrame.create(24_000, 1, int(24_000 * seconds))


def talk(room: FakeRoom, *steps: Callable[[Parrot], None]) -> list[float]:
    """Let a parrot talk, take the steps one after the other, and return what it played."""

    async def run() -> list[float]:
        track = FakeTrack()
        parrot = Parrot(cast("rtc.Room", room), cast("vad.VAD", None), lambda _: None)
        await parrot.start(cast("rtc.Room", room), cast("Track", track))
        for step in (lambda _: None, *steps):
            step(parrot)
            await settle()
        await parrot.aclose()
        return track.played

    return asyncio.run(run())


async def settle() -> None:
    """Let every task go on until it waits for something."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_the_parrot_greets_and_then_says_what_it_is_given() -> None:
    """LiveKit's components show the state as it changes."""
    room = FakeRoom()

    played = talk(room, lambda parrot: parrot.say(frame(0.2)))

    assert ([GREETING, 0.2], ["listening"] + ["speaking", "listening"] * 2) == (played, room.states)


def test_an_interrupted_utterance_ends_and_the_next_is_said() -> None:
    """Who interrupts is listened to, and not answered with the rest of the last sentence."""
    played = talk(
        FakeRoom(),
        lambda parrot: parrot.say(frame(5)),
        Parrot.hush,
        lambda parrot: parrot.say(frame(0.2)),
    )

    assert [GREETING, 5.0, 0.2] == played


def test_what_a_crowd_says_is_not_said_back_minutes_later() -> None:
    """A parrot that lags behind its room is of no use."""

    def crowd(parrot: Parrot) -> None:
        for _ in range(10):
            parrot.say(frame(0.2))

    assert [GREETING, 0.2, 0.2, 0.2] == talk(FakeRoom(), crowd)


@pytest.mark.parametrize("said", [0, 2])
def test_a_state_that_cannot_be_shown_stops_nothing(said: int) -> None:
    """The label is worth less than the voice."""
    steps = [lambda parrot: parrot.say(frame(0.2))] * said

    assert [GREETING] + [0.2] * said == talk(FakeRoom(broken=True), *steps)


@pytest.mark.parametrize("breaks_before", ["a listener", "a sound"])
def test_a_parrot_that_cannot_talk_ends_its_job(
    breaks_before: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A mute agent would stay, and the room would look attended; gone, it is replaced."""
    ended: list[str] = []

    async def run() -> None:
        room, track = cast("rtc.Room", FakeRoom()), FakeTrack(breaks_before=breaks_before)
        parrot = Parrot(room, cast("vad.VAD", None), ended.append)
        await parrot.start(room, cast("Track", track))
        await settle()
        await parrot.aclose()

    asyncio.run(run())

    assert ["the parrot's talking has failed"] == ended
    assert "a made-up bug" in caplog.text


def test_a_parrot_that_is_closed_does_not_end_its_job_once_more() -> None:
    """What is cancelled because the job ends has not failed."""
    ended: list[str] = []

    async def run() -> None:
        room = cast("rtc.Room", FakeRoom())
        parrot = Parrot(room, cast("vad.VAD", None), ended.append)
        await parrot.start(room, cast("Track", FakeTrack()))
        await settle()
        await parrot.aclose()

    asyncio.run(run())

    assert [] == ended


def test_a_parrot_ends_its_job_once_it_hears_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """One track that cannot be heard takes the agent from nobody; the last one does."""

    async def run() -> list[int]:
        room, detector, ended = FakeRoom(), FakeDetector(), list[str]()
        parrot = Parrot(cast("rtc.Room", room), cast("vad.VAD", detector), ended.append)
        for sid in ("TR_1", "TR_2"):
            source = rtc.AudioSource(24_000, 1)
            track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
            room.emit("track_subscribed", track, FakePublication(sid))
        await settle()
        ended_after = []
        for count, voices in enumerate(detector.voices, start=1):
            voices.fails.set()
            deaf = functools.partial(told_of, caplog, count)
            await asyncio.to_thread(wait_until, deaf, within=10, what="a deaf ear")
            ended_after.append(len(ended))
        await parrot.aclose()
        return ended_after

    assert [0, 1] == asyncio.run(run())
