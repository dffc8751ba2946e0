import asyncio
from typing import cast

import pytest
from livekit import api, rtc

from agent.room_life import FindRoom, RoomLife, RoomNow

RECONNECTING = rtc.ConnectionState.CONN_RECONNECTING
CONNECTED = rtc.ConnectionState.CONN_CONNECTED


def answering(sid: str | None, *agent_names: str, has_human: bool = False) -> FindRoom:
    """Return a LiveKit that knows a room of that sid, or none, and who is in it."""

    async def find_room(_room_name: str) -> RoomNow:
        return RoomNow(sid=sid, agent_names=frozenset(agent_names), has_human=has_human)

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
    """The room we are connected to, or were; its `sid` stays the first one's after a rejoin."""

    def __init__(self, state: int) -> None:
        super().__init__()
        self.connection_state = state


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
    ("state", "find_room", "ends"),
    [
        (RECONNECTING, answering(None), True),
        (RECONNECTING, answering("RM_later", has_human=True), False),
        (CONNECTED, answering("RM_later"), True),
        (CONNECTED, answering("RM_later", has_human=True), False),
        (CONNECTED, answering("RM_ours"), False),
        (CONNECTED, failing(OSError("refused")), False),
    ],
    ids=[
        "ended meanwhile",
        "LiveKit restarted, the human is back first",
        "let into a later, empty room",
        "LiveKit restarted, and both are back",
        "back in it",
        "nobody knows",
    ],
)
def test_a_lost_connection_ends_the_job_when_the_room_is_gone(
    state: int, find_room: FindRoom, *, ends: bool
) -> None:
    """The SDK joins anew by itself: that revives a room for nobody, or goes on with a call."""

    async def run() -> bool:
        room, ended = FakeRoom(state), asyncio.Event()
        life(find_room).end_with_room(cast("rtc.Room", room), ended.set)
        room.emit("reconnecting")
        await asyncio.sleep(0.01)
        return ended.is_set()

    assert ends == asyncio.run(run())
