"""Which agents were last known to be in which room: a hint that saves waiting, never the state.

A dispatch that is older than an agent that has been there and is not any more is spent at once,
where LiveKit's own list would let it look alive for good (livekit-behaviour 26). And one answer
may leave out an agent that is there (livekit-behaviour 95): an absence counts when a webhook told
of the leaving, or when two answers some time apart agree.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from shared_settings.agent_signs import DISPATCH_ATTRIBUTE
from token_server.livekit.port import Participant
from token_server.state.bounded import Bounded

_ROOMS_KEPT = 10_000
# Dispatches of one name in one room whose agents have left.
_DEPARTED_KEPT = 20
# Between the first answer without an agent and the one that proves that it is gone.
ABSENCE_PROVEN_AFTER = timedelta(seconds=0.25)
# Answers further apart than this do not prove each other.
_ANSWERS_APART = timedelta(seconds=5)


@dataclass
class _Seen:
    """What is known of one name in one room; times are LiveKit's."""

    last: Participant | None = None
    absent_since: datetime | None = None
    absent_until: datetime | None = None
    has_left: bool = False
    left_at: datetime | None = None
    departed: list[str] = field(default_factory=list)
    here: dict[str, str] = field(default_factory=dict)  # by sid: the dispatch, if it is told
    is_ours: bool = False


@dataclass(frozen=True, kw_only=True)
class LastSeen:
    """What is known of the last agent of one name in one room.

    Attributes:
        agent: Who it is; None if nobody has been seen.
        left_at: When it left, if it left by itself, as a webhook or its absence tells.
        departed: The dispatches of that name whose agents are known to have left.
        is_ours: Whether somebody has wanted such an agent there.
    """

    agent: Participant | None = None
    left_at: datetime | None = None
    departed: frozenset[str] = frozenset()
    is_ours: bool = False

    @property
    def sid(self) -> str:
        """Who it is, also where a list and a webhook tell different things of them."""
        return self.agent.participant_sid if self.agent else ""


class LastSeenAgents:
    """The last agent of each name in each room, as this process knows. Thread-safe."""

    def __init__(self) -> None:
        self._rooms: Bounded[str, dict[str, _Seen]] = Bounded(_ROOMS_KEPT)
        self._lock = Lock()

    def want(self, room_name: str, agent_names: Iterable[str]) -> None:
        """Remember that these are wanted in a room: what becomes of them is our business."""
        with self._lock:
            for agent_name in agent_names:
                self._of(room_name, agent_name).is_ours = True

    def see(self, room_name: str, agents: Collection[Participant]) -> None:
        """Remember the agents that a list shows: all that are there, as far as it tells."""
        with self._lock:
            for agent in agents:
                self._of(room_name, agent.agent_name).here.clear()
        for agent in agents:
            self.note(room_name, agent)

    def note(
        self,
        room_name: str,
        agent: Participant,
        *,
        is_here: bool = True,
        now: datetime | None = None,
    ) -> None:
        """Remember an agent that is in the room, or has left it.

        Args:
            room_name: Where.
            agent: Who.
            is_here: False where a webhook tells of its leaving, or it was put out.
            now: LiveKit's time, if it has left.
        """
        with self._lock:
            seen = self._of(room_name, agent.agent_name)
            dispatch_id = agent.attributes.get(DISPATCH_ATTRIBUTE)
            others = [each for each in seen.departed if each != dispatch_id]
            gone = [dispatch_id] if dispatch_id and not is_here else []
            seen.departed = [*others, *gone][-_DEPARTED_KEPT:]
            seen.here.pop(agent.participant_sid, None)
            if is_here:
                seen.here[agent.participant_sid] = dispatch_id or ""
            is_earlier = bool(seen.last and seen.last.joined_at > agent.joined_at)
            seen.last = seen.last if is_earlier else agent
            if is_here:
                seen.has_left, seen.left_at, seen.absent_since = False, None, None
            elif not is_earlier or (seen.has_left and not seen.here):
                # What is told of an earlier one says nothing about the last, but where that one
                # has left before it.
                seen.has_left = True
                seen.left_at = now if agent.has_left_by_itself else None

    def is_absence_proven(
        self,
        room_name: str,
        agent_name: str,
        now: datetime,
        heard_within: Callable[[float], bool],
    ) -> bool:
        """Say whether an agent that the last answer has left out is not there, as it seems.

        Args:
            room_name: Where.
            agent_name: Whose.
            now: LiveKit's time.
            heard_within: Whether one of that name has given a sign of life in so many seconds.
        """
        with self._lock:
            seen = self._of(room_name, agent_name)
            if seen.has_left and not seen.here:
                return True
            since = seen.absent_since
            is_news = seen.absent_until is None or now - seen.absent_until > _ANSWERS_APART
            # An answer from before its join, which a slow look counts late, says nothing of it.
            is_older = since and seen.last and since < seen.last.joined_at
            if since is None or is_news or is_older or heard_within((now - since).total_seconds()):
                since = now
            seen.absent_since, seen.absent_until = since, now
            if now - since < ABSENCE_PROVEN_AFTER:
                return False
            if seen.last:
                # By itself: nobody has put it out, as far as this process knows.
                seen.left_at = seen.left_at or since
            departed = [*seen.departed, *filter(None, seen.here.values())]
            seen.departed, seen.here = departed[-_DEPARTED_KEPT:], {}
            return True

    def of(self, room_name: str) -> dict[str, LastSeen]:
        """Return what is known of each name in this room."""
        with self._lock:
            return {
                name: LastSeen(
                    agent=seen.last,
                    left_at=seen.left_at,
                    departed=frozenset(seen.departed),
                    is_ours=seen.is_ours,
                )
                for name, seen in self._rooms.get(room_name, {}).items()
            }

    def with_leavings(self, room_name: str, known: dict[str, LastSeen]) -> dict[str, LastSeen]:
        """Return what was known, with what was learnt since of the same agents' leaving."""
        now = self.of(room_name)
        return {
            name: now[name] if name in now and now[name].sid == last.sid else last
            for name, last in known.items()
        }

    def forget(self, room_name: str) -> None:
        """Drop a room that has ended."""
        with self._lock:
            self._rooms.pop(room_name, None)

    def _of(self, room_name: str, agent_name: str) -> _Seen:
        seen = self._rooms.setdefault(room_name, {}).setdefault(agent_name, _Seen())
        self._rooms.move_to_end(room_name)
        return seen
