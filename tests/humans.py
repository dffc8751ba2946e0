"""Humans in tests: LiveKit's own Python client, driven from ordinary threads."""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, Self, TypeVar

from livekit import rtc

T = TypeVar("T")
_CONNECT_SECONDS = 15.0
# To listen, and to look for networks again and again, costs many times what an idle client does.
CALM = rtc.RtcConfiguration(continual_gathering_policy=rtc.ContinualGatheringPolicy.GATHER_ONCE)
_STILL = rtc.RoomOptions(auto_subscribe=False, rtc_config=CALM)


class Human:
    """Somebody in a room."""

    def __init__(self, humans: "Humans", room: rtc.Room) -> None:
        self._humans, self._room = humans, room

    def leave(self) -> None:
        """Leave the room, as a closed page does."""
        self._humans.run(self._room.disconnect())


class Humans:
    """Everybody whom one test sends into rooms; all of them leave at its end."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._all: list[Human] = []

    def join(self, url: str, *tokens: str) -> Sequence[Human]:
        """Let one human per token join, all at the same moment; return when they are connected."""
        rooms = self.run(self._connect_all(url, tokens))
        joined = [Human(self, room) for room in rooms]
        self._all += joined
        return joined

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the humans' event loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CONNECT_SECONDS)

    async def _connect_all(self, url: str, tokens: Sequence[str]) -> list[rtc.Room]:
        rooms = [rtc.Room() for _ in tokens]
        await asyncio.gather(
            *(room.connect(url, token, _STILL) for room, token in zip(rooms, tokens, strict=True))
        )
        return rooms

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def leave(self) -> None:
        """Let everybody leave who is still there."""
        while self._all:
            self._all.pop().leave()

    def __exit__(self, *_: object) -> None:
        self.leave()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
