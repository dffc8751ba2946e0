"""Which room is due for a look when. No I/O, no threads, no clock: every time is an argument.

A room is followed from the issue of a token until its human has come, or the token has expired;
what a look finds undone is planned anew by the looker. However many tokens are issued, no more
than a fixed number of looks per second comes out, webhooks aside (facts, 20).
"""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

# Looks per second and process that are not a webhook's; each is about 1 ms of work.
LOOKS_PER_SECOND = 15.0
# Where webhooks are known to work, a look at a room that is only followed counts as so many.
_WITH_WEBHOOKS_PRICE = 3.0
# Rooms that one process follows at once; the sweep finds the humans of the others.
ROOMS_FOLLOWED = 10_000
# Tokens of one room whose humans are awaited; the oldest is forgotten first.
TICKETS_AWAITED = 1_000
# Seconds. Where webhooks are known to work, the first look is no hurry.
_WITH_WEBHOOKS_FIRST = 1.0
_LONGEST_GAP = 5.0
_SHORTEST_GAP = 0.1


@dataclass(frozen=True)
class Looked:
    """What a look means for the schedule.

    Attributes:
        again_in: Seconds until the next look at this room; None: no need to.
        tickets: The sealed tickets of those who are in the room.
    """

    again_in: float | None = None
    tickets: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """A human who has a token and is yet to come.

    Attributes:
        ticket: Their sealed ticket, by which they are known when they are there.
        seconds: How long they may still come.
        has_webhooks: Asked before each look: are webhooks known to work for this room?
    """

    ticket: str
    seconds: float
    has_webhooks: Callable[[], bool]


@dataclass
class _Followed:
    since: float
    has_webhooks: Callable[[], bool]
    ends: dict[int, float] = field(default_factory=dict)  # by a ticket's hash


def gap(age: float, *, has_webhooks: bool) -> float:
    """Return the seconds to the next look at a room whose token was issued `age` seconds ago.

    Most people join at once: so often at first, ever more rarely later.
    """
    if has_webhooks:
        return min(max(_WITH_WEBHOOKS_FIRST, age / 2), _LONGEST_GAP)
    return min(max(_SHORTEST_GAP, age / 8), _LONGEST_GAP)


class _Plan:
    """Rooms by when they are due, each once."""

    def __init__(self) -> None:
        self._order = itertools.count()
        self._heap: list[tuple[float, int, str]] = []  # valid where _due agrees
        self._due: dict[str, float] = {}

    def add(self, room_name: str, due: float) -> None:
        """Plan a room for then, unless it is planned for earlier."""
        if due < self._due.get(room_name, float("inf")):
            self._due[room_name] = due
            heapq.heappush(self._heap, (due, next(self._order), room_name))

    def next_due(self) -> float:
        """Return a time before which no room is due."""
        return self._heap[0][0] if self._heap else float("inf")

    def take(self, now: float) -> str | None:
        """Take out the room that has been due for longest, None if none is."""
        while self._heap and self._heap[0][0] <= now:
            due, _, room_name = heapq.heappop(self._heap)
            if self._due.get(room_name) == due:
                del self._due[room_name]
                return room_name
        return None


class Schedule:
    """The looks to come. A room is in one hand at a time, from `take` to `finish`."""

    def __init__(self, looks_per_second: float = LOOKS_PER_SECOND) -> None:
        self._budget = looks_per_second
        self._allowance, self._allowance_at = 1.0, 0.0
        self._urgent: dict[str, None] = {}  # in order of arrival
        # Rooms with somebody in them, and rooms that are only followed.
        self._peopled, self._empty = _Plan(), _Plan()
        self._followed: dict[str, _Followed] = {}
        self._in_hand: set[str] = set()

    def look_now(self, room_name: str) -> None:
        """Make a room due at once, whatever the budget."""
        self._urgent[room_name] = None

    def look_at(self, room_name: str, due: float) -> None:
        """Make a room with somebody in it due then, or earlier if that is planned already.

        When more is due than the budget allows, these go before the rooms that are only followed.
        """
        self._peopled.add(room_name, due)

    def follow(self, room_name: str, awaited: Awaited, now: float) -> None:
        """Make a room due now and then until somebody is seen there, or for so long."""
        followed = self._followed.pop(room_name, None) or _Followed(now, awaited.has_webhooks)
        followed.since, followed.has_webhooks = now, awaited.has_webhooks
        followed.ends[hash(awaited.ticket)] = now + awaited.seconds
        if len(followed.ends) > TICKETS_AWAITED:
            del followed.ends[next(iter(followed.ends))]
        self._followed[room_name] = followed
        if len(self._followed) > ROOMS_FOLLOWED:
            del self._followed[next(iter(self._followed))]
        self._empty.add(room_name, now + gap(0.0, has_webhooks=awaited.has_webhooks()))

    @property
    def rooms_followed(self) -> int:
        """How many rooms are followed."""
        return len(self._followed)

    def next_due(self) -> float:
        """Return a time before which no planned room is due."""
        return min(self._peopled.next_due(), self._empty.next_due())

    def take(self, now: float) -> tuple[str | None, float | None]:
        """Return a room that is due; or None and for how long none will be (None: till told)."""
        for room_name in self._urgent:
            if room_name not in self._in_hand:
                del self._urgent[room_name]
                self._in_hand.add(room_name)
                return room_name, None
        if (wait := self._wait_until_due(now)) is None or wait > 0:
            return None, wait
        for plan in (self._peopled, self._empty):
            while (due := plan.take(now)) is not None:
                if plan is self._empty and due not in self._followed:
                    continue
                if due in self._in_hand:
                    # What made it due may have come after that look began.
                    plan.add(due, now + _SHORTEST_GAP)
                    continue
                self._allowance -= self._price(due) if plan is self._empty else 1.0
                self._in_hand.add(due)
                return due, None
        return None, self._wait_until_due(now)

    def _price(self, room_name: str) -> float:
        has_webhooks = self._followed[room_name].has_webhooks()
        return _WITH_WEBHOOKS_PRICE if has_webhooks else 1.0

    def finish(self, room_name: str, looked: Looked, now: float) -> None:
        """Put a room back that was taken."""
        self._in_hand.discard(room_name)
        if looked.again_in is not None:
            self.look_at(room_name, now + looked.again_in)
        if not (followed := self._followed.get(room_name)):
            return
        seen = {hash(ticket) for ticket in looked.tickets}
        followed.ends = {
            ticket: end for ticket, end in followed.ends.items() if ticket not in seen and end > now
        }
        if followed.ends:
            age = now - followed.since
            self._empty.add(room_name, now + gap(age, has_webhooks=followed.has_webhooks()))
        else:
            del self._followed[room_name]

    def _wait_until_due(self, now: float) -> float | None:
        """Return the seconds until a look may be taken from the budget, None if none is planned."""
        earned = max(0.0, now - self._allowance_at) * self._budget
        self._allowance = min(self._allowance + earned, self._budget)
        self._allowance_at = now
        due = self.next_due()
        if due == float("inf"):
            return None
        return max(due - now, (1.0 - self._allowance) / self._budget, 0.0)
