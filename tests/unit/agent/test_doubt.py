import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest
from livekit import rtc

from agent.doubt import Doubt
from agent.room_life import IS_REPLACED, IS_THERE_ALREADY, ROOM_HAS_ENDED
from agent.room_now import ListedAgent
from agent.track import SAMPLE_RATE, Track
from tests.unit.agent.test_room_life import ELDER, NO_ROOM, US, YOUNGER, FakeRoom, life, room

CONNECTED = rtc.ConnectionState.CONN_CONNECTED
RECONNECTING = rtc.ConnectionState.CONN_RECONNECTING


class JoinedRoom(rtc.EventEmitter[str]):
    """The room that we are connected to, or were."""

    def __init__(self, state: int) -> None:
        super().__init__()
        self.connection_state = state
        self.local_participant = SimpleNamespace(sid=US.sid)


Happening = Callable[[JoinedRoom, Doubt], None]


def run_through(
    livekit: FakeRoom, happening: Happening, state: int = CONNECTED
) -> tuple[list[str], list[bool]]:
    """Let something happen to an agent; return why it left, and whether it was hushed in between.

    That is: right after it happened, and once the doubt is over.
    """

    async def run() -> tuple[list[str], list[bool]]:
        joined, track, left = JoinedRoom(state), Track(), []
        doubt = Doubt(cast("rtc.Room", joined), track, life(livekit), left.append)
        happening(joined, doubt)
        hushed = [track.source.is_hushed]
        await _until_quiet(livekit, left)
        hushed.append(track.source.is_hushed)
        await track.aclose()
        return left, hushed

    return asyncio.run(run())


async def _until_quiet(livekit: FakeRoom, left: list[str]) -> None:
    looks = -1
    while looks != livekit.looks and not left:
        looks = livekit.looks
        await asyncio.sleep(0.02)
    await asyncio.sleep(0)


def freeze(_: JoinedRoom, doubt: Doubt) -> None:
    """Wake up after a while."""
    doubt.arise()


def lose_connection(joined: JoinedRoom, _: Doubt) -> None:
    """Lose the connection; the SDK tries to get it back."""
    joined.emit("reconnecting")


def come(agent: ListedAgent) -> Happening:
    """Return the coming of another agent."""

    def happen(joined: JoinedRoom, _: Doubt) -> None:
        participant = SimpleNamespace(
            kind=rtc.ParticipantKind.PARTICIPANT_KIND_AGENT,
            attributes={"lk.agent.name": agent.name},
            identity=agent.identity,
        )
        joined.emit("participant_connected", participant)

    return happen


@pytest.mark.parametrize("happening", [freeze, lose_connection])
def test_an_agent_in_doubt_is_silent_and_goes_on_if_it_is_still_the_one(
    happening: Happening,
) -> None:
    """A human who hears two agents is worse off than one who misses a word."""
    assert ([], [True, False]) == run_through(FakeRoom(room(US)), happening)


@pytest.mark.parametrize("happening", [freeze, lose_connection])
def test_an_agent_that_was_replaced_leaves_without_a_sound(happening: Happening) -> None:
    """It thaws in a room where the next one talks."""
    assert ([IS_REPLACED], [True, True]) == run_through(FakeRoom(room(US, YOUNGER)), happening)


def test_a_room_that_ended_while_we_were_cut_off_is_left() -> None:
    """The SDK would join anew, and revive it for nobody."""
    found = run_through(FakeRoom(NO_ROOM), lose_connection, RECONNECTING)

    assert ([ROOM_HAS_ENDED], [True, True]) == found


@pytest.mark.parametrize(("other", "left"), [(ELDER, [IS_THERE_ALREADY]), (YOUNGER, [])], ids=str)
def test_an_agent_whose_second_comes_goes_on_talking_if_it_is_the_elder(
    other: ListedAgent, left: list[str]
) -> None:
    """Which of two that join at once sees the other is chance; both decide alike."""
    assert (left, [False, bool(left)]) == run_through(FakeRoom(room(US, other)), come(other))


def test_the_coming_of_another_agent_is_no_reason_to_look() -> None:
    """An avatar, a transcriber."""
    livekit = FakeRoom(room(US))

    run_through(livekit, come(ListedAgent(name="another", identity="agent-foreign")))

    assert livekit.looks == 0


def test_a_hushed_track_plays_silence_of_the_same_length() -> None:
    """Whoever plays on it must not hang, and not be heard."""

    async def run() -> tuple[float, float]:
        track = Track()
        frame = rtc.AudioFrame(b"\x10\x20" * (SAMPLE_RATE // 10), SAMPLE_RATE, 1, SAMPLE_RATE // 10)
        await track.source.capture_frame(frame)
        track.hush()
        after_hush = track.source.queued_duration
        started = asyncio.get_running_loop().time()
        await track.play(frame)
        took = asyncio.get_running_loop().time() - started
        await track.aclose()
        return after_hush, took

    queued, took = asyncio.run(run())
    assert queued == 0.0
    assert took > 0.05
