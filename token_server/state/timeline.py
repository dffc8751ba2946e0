"""What happened in each room, noted by whichever process did it or saw it.

Noting appends to memory and no more; the keeper's beat writes it to the shelf that all processes
share: a file of the machine (timeline_file.py), or Redis (timeline_redis.py). Nothing is decided by
it: LiveKit stays the only store of what is.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from threading import Lock
from typing import NamedTuple, Protocol, TypedDict, Unpack

from token_server.livekit.slices import give_way
from token_server.state.bounded import Bounded

# Of one room, the last ones.
MOST_ENTRIES = 200
# More than a process issues tokens in ten seconds; written twice a second, a few at a time: nobody
# else runs meanwhile.
_MOST_UNWRITTEN, _AT_ONCE = 20_000, 200
_REMEMBERED = 10_000


class Event(StrEnum):
    """What can happen in a room, in the words of `GET /rooms/{room_name}`."""

    ROOM_READY = "room_ready"
    TOKEN_ISSUED = "token_issued"  # noqa: S105 (an event, not a secret)
    JOINED = "joined"
    LOOKED_AT = "looked_at"
    DISPATCHED = "dispatched"
    DISPATCHED_AGAIN = "dispatched_again"
    DISPATCH_DELETED = "dispatch_deleted"
    JOB_TAKEN = "job_taken"
    AGENT_JOINED = "agent_joined"
    FIRST_TRACK = "first_track"
    LEFT = "left"
    AGENT_LEFT = "agent_left"
    AGENT_REMOVED = "agent_removed"
    RELEASED = "released"
    ROOM_ENDED = "room_ended"


class EntryDetails(TypedDict, total=False):
    """What is known of an event; what is not known is absent."""

    participant_identity: str
    agent_name: str
    dispatch_id: str
    job_id: str
    reason: str
    outcome: str


class Entry(NamedTuple):
    """One thing that happened.

    Attributes:
        room_name: Where.
        at: When, by LiveKit's clock, in Unix seconds.
        event: What.
        subject: The id of whom it happened to; with the event the same fact, whoever tells it.
            Empty for what is not told twice.
        facts: What else is known.
        process: Who noted it: host and process id; empty for what LiveKit tells by itself.
    """

    room_name: str
    at: float
    event: Event
    subject: str
    facts: EntryDetails
    process: str = ""


class Shelf(Protocol):
    """Where entries are kept for all processes, for a time and up to a size."""

    def put(self, entries: Sequence[Entry]) -> bool:
        """Keep them; False if that cannot be done now."""

    def of(self, room_name: str) -> Sequence[Entry]:
        """Return the last entries of a room in the order of their coming; none if unknown."""


class Timeline:
    """Notes what happens, from any thread, and reads what all processes have noted.

    Args:
        now: LiveKit's time.
        process: The name of this process in what it notes.
        shelf: Where entries are kept; None: nothing is noted.
    """

    def __init__(self, now: Callable[[], datetime], process: str, shelf: Shelf | None) -> None:
        self.now, self._process, self._shelf = now, process, shelf
        self._unwritten: deque[Entry] = deque(maxlen=_MOST_UNWRITTEN)
        self._known: Bounded[Hashable, str] = Bounded(_REMEMBERED)
        self._lock = Lock()
        self._writing = Lock()

    def note(
        self,
        room_name: str,
        event: Event,
        *,
        at: datetime | None = None,
        subject: str = "",
        **facts: Unpack[EntryDetails],
    ) -> None:
        """Note an event of now, or of then."""
        when = (at or self.now()).timestamp()
        self._add(Entry(room_name, when, event, subject, facts, self._process))

    def note_look(self, room_name: str, agent_name: str, reason: str, at: datetime) -> None:
        """Note what a look has decided about an agent, if the one before decided otherwise."""
        if self._shelf is not None and self._is_news((room_name, agent_name), reason):
            self.note(room_name, Event.LOOKED_AT, at=at, agent_name=agent_name, reason=reason)

    def add(self, entries: Iterable[Entry]) -> None:
        """Note these; a fact that this process has noted before is no news."""
        for entry in entries:
            self._add(entry._replace(process=self._process))

    def _add(self, entry: Entry) -> None:
        key = (entry.room_name, entry.event, entry.subject)
        if self._shelf is not None and (not entry.subject or self._is_news(key, "")):
            self._unwritten.append(entry)

    def flush(self) -> None:
        """Write what was noted since the last time; what cannot be written now waits."""
        with self._writing:
            left = len(self._unwritten)
            while left > 0 and self._write(min(left, _AT_ONCE)):
                left -= _AT_ONCE
                give_way()

    def _write(self, number: int) -> bool:
        entries = [self._unwritten.popleft() for _ in range(number)]
        if self._shelf is None or self._shelf.put(entries):
            return True
        self._unwritten.extendleft(reversed(entries))
        return False

    def of(self, room_name: str) -> list[Entry]:
        """Return what all processes have noted of a room, in no order."""
        if self._shelf is None:
            return []
        self.flush()
        unwritten = [entry for entry in list(self._unwritten) if entry.room_name == room_name]
        return [*self._shelf.of(room_name), *unwritten]

    def _is_news(self, key: Hashable, state: str) -> bool:
        with self._lock:
            is_news = self._known.get(key) != state
            self._known[key] = state
            self._known.move_to_end(key)
            return is_news


# For those who have nobody to note for.
NOT_KEPT = Timeline(lambda: datetime.now(UTC), "", None)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Sort entries by time, each fact once: who knows most tells it, at the earliest time told."""
    told: dict[Hashable, Entry] = {}
    for number, entry in enumerate(entries):
        key: Hashable = (entry.event, entry.subject) if entry.subject else number
        known = told.get(key, entry)
        fullest = max(known, entry, key=lambda each: len(each.facts))
        told[key] = fullest._replace(at=min(known.at, entry.at))
    return _with_repeats(sorted(told.values(), key=lambda each: each.at))


def _with_repeats(entries: Sequence[Entry]) -> list[Entry]:
    """Say of the second and later dispatches of one agent that they were sent again."""
    agents: set[str] = set()
    result = []
    for entry in entries:
        is_dispatch = entry.event is Event.DISPATCHED
        agent_name = entry.facts.get("agent_name", "")
        is_again = is_dispatch and agent_name in agents
        result.append(entry._replace(event=Event.DISPATCHED_AGAIN) if is_again else entry)
        if is_dispatch:
            agents.add(agent_name)
        elif entry.event is Event.ROOM_ENDED:
            agents.clear()
    return result
