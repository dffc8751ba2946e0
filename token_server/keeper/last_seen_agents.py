"""Which agents were last known to be in which room: a hint that saves waiting, never the state.

A dispatch that is older than an agent that has been there and is not any more is spent at once,
where LiveKit's own list would let it look alive for good (livekit-behaviour 26).
"""

from collections import OrderedDict
from datetime import datetime
from threading import Lock

from token_server.livekit.rooms import Participant

_ROOMS_KEPT = 10_000


class LastSeenAgents:
    """The last agent of each name in each room, as this process knows. Thread-safe."""

    def __init__(self) -> None:
        self._rooms: OrderedDict[str, dict[str, datetime]] = OrderedDict()
        self._lock = Lock()

    def note(self, room_name: str, agent: Participant) -> None:
        """Remember when an agent joined that is, or was, in the room."""
        with self._lock:
            joined = self._rooms.setdefault(room_name, {})
            known = joined.get(agent.agent_name)
            joined[agent.agent_name] = max(known or agent.joined_at, agent.joined_at)
            self._rooms.move_to_end(room_name)
            if len(self._rooms) > _ROOMS_KEPT:
                self._rooms.popitem(last=False)

    def of(self, room_name: str) -> dict[str, datetime]:
        """Return when the last agent of each name joined this room."""
        with self._lock:
            return dict(self._rooms.get(room_name, {}))

    def forget(self, room_name: str) -> None:
        """Drop a room that has ended."""
        with self._lock:
            self._rooms.pop(room_name, None)
