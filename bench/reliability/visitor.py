"""A human in a room, who fetched a token, joins, and sees agents come and go."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection

from livekit import rtc

from tests.humans import CALM
from tests.processes import AGENT_NAME

_AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
_CONNECT_SECONDS = 20.0


class Visitor:
    """LiveKit's Python client, by default subscribed to nothing: hearing costs much."""

    def __init__(self, *, is_subscribed: bool = False) -> None:
        self._is_subscribed = is_subscribed
        self._room = rtc.Room()
        self._changed = asyncio.Event()
        for event in ("participant_connected", "participant_disconnected"):
            self._room.on(event, self._on_change)
        self._room.on("participant_attributes_changed", self._on_change)
        self._arrivals: dict[str, float] = {}
        self.joined_at = 0.0

    async def join(self, url: str, token: str) -> None:
        """Join; `joined_at` is the moment before."""
        self.joined_at = time.monotonic()
        options = rtc.RoomOptions(auto_subscribe=self._is_subscribed, rtc_config=CALM)
        async with asyncio.timeout(_CONNECT_SECONDS):
            await self._room.connect(url, token, options)
        self._on_change()

    async def leave(self) -> None:
        """Leave, as a page that is closed."""
        with contextlib.suppress(Exception):  # the room may be gone already
            await self._room.disconnect()

    @property
    def agents(self) -> frozenset[str]:
        """The sids of the agents of our name who are there."""
        return frozenset(
            other.sid
            for other in self._room.remote_participants.values()
            if other.kind == _AGENT and other.attributes.get("lk.agent.name") == AGENT_NAME
        )

    @property
    def agent_came_at(self) -> float | None:
        """When the agent came who is there now; None: nobody is."""
        return max((self._arrivals[sid] for sid in self.agents), default=None)

    async def sees_agent(self, *, until: float, other_than: Collection[str] = frozenset()) -> bool:
        """Wait for an agent, and say whether one was there before `until`."""
        return await self._wait(lambda: bool(self.agents - set(other_than)), until)

    async def sees_leaving(self, agents: Collection[str], *, until: float) -> bool:
        """Wait until all of these agents are gone, and say whether that was before `until`."""
        return await self._wait(lambda: self.agents.isdisjoint(agents), until)

    async def keeps_agent(self, *, until: float, hold: float) -> None:
        """Wait for an agent that is still there after `hold` seconds, or until then."""
        while await self.sees_agent(until=until):
            await asyncio.sleep(hold)
            if self.agents:
                return

    async def _wait(self, holds: Callable[[], bool], until: float) -> bool:
        while not holds():
            self._changed.clear()
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    await self._changed.wait()
            except TimeoutError:
                return False
        return True

    def _on_change(self, *_: object) -> None:
        for sid in self.agents:
            self._arrivals.setdefault(sid, time.monotonic())
        self._changed.set()
