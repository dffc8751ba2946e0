import asyncio
from typing import cast

import pytest
from livekit import api, rtc

from agent.room_life import FindRoom, RoomLife, RoomNow

RECONNECTING = rtc.ConnectionState.CONN_RECONNECTING
CONNECTED = rtc.ConnectionState.CONN_CONNECTED


def answering(sid: str | None, *agent_names: str) -> FindRoom:
    """Return a LiveKit that knows a room of that sid, or none, and agents in it."""

    async def find_room(_room_name: str) -> RoomNow:
        return RoomNow(sid=sid, agent_names=frozenset(agent_names))

    return find_room


def failing(error: Exception) -> FindRoom:
    """Return a LiveKit that fails."""

    async def find_room(_room_name: str) -> RoomNow:
        raise error

    return find_room


def life(find_room: FindRoom) -> RoomLife:
    """Return what a job for the room RM_ours knows."""
    return RoomLife(room_name="room", room_sid="RM_ours", find_room=find_room)


class FakeRoom(rtc.EventEmitter[str]):
    """The room we are connected to, or were."""

    def __init__(self, state: int, sid: str) -> None:
        super().__init__()
        self.connection_state = state
        self.sid = asyncio.get_running_loop().create_future()
        self.sid.set_result(sid)


@pytest.mark.parametrize(
    ("find_room", "reason"),
    [
        (answering("RM_ours"), None),
        (answering("RM_ours", "another-agent"), None),
        (answering("RM_ours", "voice-agent"), "the agent is there already"),
        (answering("RM_later"), "the room has ended"),
        (answering(None), "the room has ended"),
        (failing(TimeoutError()), None),
        (failing(api.TwirpError("unavailable", "no", status=503)), None),
        (failing(OSError("refused")), None),
    ],
    ids=[
        "it is there",
        "with another agent",
        "with our agent",
        "a later room of its name",
        "no such room",
        "timeout",
        "twirp",
        "network",
    ],
)
def test_an_agent_joins_unless_livekit_says_that_it_must_not(
    find_room: FindRoom, reason: str | None
) -> None:
    """Joining would revive an ended room or evict an agent; and when unknown, a human waits."""
    assert reason == asyncio.run(life(find_room).reason_to_stay_out("voice-agent"))


@pytest.mark.parametrize(
    ("state", "entered", "found", "ends"),
    [
        (RECONNECTING, "RM_ours", None, True),
        (CONNECTED, "RM_later", "RM_later", True),
        (CONNECTED, "RM_ours", "RM_ours", False),
    ],
    ids=["ended meanwhile", "let into a later room", "back in it"],
)
def test_a_lost_connection_ends_the_job_when_the_room_is_gone(
    state: int, entered: str, found: str, *, ends: bool
) -> None:
    """The SDK joins anew by itself, and would revive the room."""

    async def run() -> bool:
        room, ended = FakeRoom(state, entered), asyncio.Event()
        life(answering(found)).end_with_room(cast("rtc.Room", room), ended.set)
        room.emit("reconnecting")
        await asyncio.sleep(0.01)
        return ended.is_set()

    assert ends == asyncio.run(run())
