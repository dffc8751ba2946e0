import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import pytest
from livekit import rtc

from agent.doubt import Doubt

if TYPE_CHECKING:
    from agent.room_life import RoomLife
    from agent.track import Track

CONNECTED = rtc.ConnectionState.CONN_CONNECTED
RECONNECTING = rtc.ConnectionState.CONN_RECONNECTING


class FakeLocalParticipant:
    """Us."""

    sid = "PA_us"


class FakeRoom(rtc.EventEmitter[str]):
    """The room that we are in, or were."""

    local_participant = FakeLocalParticipant()

    def __init__(self, state: int = CONNECTED) -> None:
        super().__init__()
        self.connection_state = state


class FakeTrack:
    """A track that may be silent."""

    is_silent = False

    def hush(self) -> None:
        self.is_silent = True

    def speak_again(self) -> None:
        self.is_silent = False


class FakeLife:
    """Finds what a test says, once it is allowed to."""

    def __init__(
        self, reason: str | None = None, *, ended: str | None = None, fails: bool = False
    ) -> None:
        self._reason, self._ended, self._fails = reason, ended, fails
        self.looks: list[str] = []
        self.may_answer = asyncio.Event()

    async def reason_to_leave(self, first_sid: str) -> str | None:
        self.looks.append(first_sid)
        await self.may_answer.wait()
        if self._fails:
            raise RuntimeError("a made-up bug")
        return self._reason

    async def reason_to_leave_room_that_ended(self) -> str | None:
        self.looks.append("ended?")
        return self._ended

    async def reason_to_leave_it_to_the_other(self) -> str | None:
        self.looks.append("elder?")
        return self._reason

    def is_another_of_us(self, participant: object) -> bool:
        return participant == "another"


class Scene:
    """An agent in doubt, and all around it."""

    def __init__(self, room: FakeRoom, life: FakeLife) -> None:
        self.room, self.life, self.track = room, life, FakeTrack()
        self.left: list[str] = []
        self.doubt = Doubt(
            cast("rtc.Room", room),
            cast("Track", self.track),
            cast("RoomLife", life),
            self.left.append,
        )

    async def settle(self) -> tuple[list[str], bool]:
        """Let all looks end; return why the agent has left, and whether it is silent."""
        self.life.may_answer.set()
        await asyncio.sleep(0.01)
        return self.left, self.track.is_silent


def frozen(scene: Scene) -> None:
    """Come back from a freeze."""
    scene.doubt.arise()


def cut_off(scene: Scene) -> None:
    """Lose the connection."""
    scene.room.emit("reconnecting")


def back(scene: Scene) -> None:
    """Have it again."""
    scene.room.emit("reconnected")


@pytest.mark.parametrize("happens", [frozen, cut_off, back])
def test_an_agent_in_doubt_is_silent_until_it_knows(happens: Callable[[Scene], None]) -> None:
    """Another one may be talking to the human by now."""

    async def run() -> tuple[bool, tuple[list[str], bool]]:
        scene = Scene(FakeRoom(), FakeLife())
        happens(scene)
        was_silent = scene.track.is_silent
        await asyncio.sleep(0.01)
        return was_silent and scene.track.is_silent, await scene.settle()

    assert (True, ([], False)) == asyncio.run(run())


def test_an_agent_that_has_been_replaced_leaves_without_a_sound() -> None:
    """Two voices for one human are worse than none."""

    async def run() -> tuple[list[str], bool]:
        scene = Scene(FakeRoom(), FakeLife("another agent has come"))
        scene.doubt.arise()
        scene.doubt.arise()
        return await scene.settle()

    assert (["another agent has come"], True) == asyncio.run(run())


def test_a_doubt_that_comes_while_looking_is_looked_into_as_well() -> None:
    """What was true before the second freeze says nothing about after."""

    async def run() -> tuple[list[str], tuple[list[str], bool]]:
        scene = Scene(FakeRoom(), FakeLife())
        scene.doubt.arise()
        await asyncio.sleep(0.01)
        scene.doubt.arise()
        scene.doubt.arise()
        settled = await scene.settle()
        return scene.life.looks, settled

    assert (["PA_us", "PA_us"], ([], False)) == asyncio.run(run())


def test_a_look_that_fails_leaves_no_agent_mute() -> None:
    """A mute agent is worse than one too many."""

    async def run() -> tuple[list[str], bool]:
        scene = Scene(FakeRoom(), FakeLife(fails=True))
        scene.doubt.arise()
        return await scene.settle()

    assert ([], False) == asyncio.run(run())


@pytest.mark.parametrize(
    ("ended", "left"), [("the room has ended", ["the room has ended"]), (None, [])]
)
def test_an_agent_that_is_cut_off_looks_whether_the_room_has_ended(
    ended: str | None, left: list[str]
) -> None:
    """The SDK joins anew by itself, and would revive it; until then it stays silent."""

    async def run() -> tuple[list[str], tuple[list[str], bool]]:
        scene = Scene(FakeRoom(RECONNECTING), FakeLife(ended=ended))
        scene.room.emit("reconnecting")
        settled = await scene.settle()
        return scene.life.looks, settled

    assert (["ended?"], (left, True)) == asyncio.run(run())


@pytest.mark.parametrize(
    ("participant", "reason", "looks", "left"),
    [
        ("another", "the agent is there already", ["elder?"], ["the agent is there already"]),
        ("another", None, ["elder?"], []),
        ("alice", "the agent is there already", [], []),
    ],
    ids=["the other is the elder", "we are the elder", "a human"],
)
def test_an_agent_that_sees_another_one_come_looks_who_stays(
    participant: str, reason: str | None, looks: list[str], left: list[str]
) -> None:
    """Two of one moment may see each other only when both are there; who stays goes on talking."""

    async def run() -> tuple[list[str], tuple[list[str], bool]]:
        scene = Scene(FakeRoom(), FakeLife(reason))
        scene.room.emit("participant_connected", participant)
        settled = await scene.settle()
        return scene.life.looks, settled

    assert (looks, (left, bool(left))) == asyncio.run(run())
