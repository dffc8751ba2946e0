"""Which room is looked at when: at once after a webhook, now and then while it is followed.

A room is followed from the issue of a token until its human has come and the agent is there, or
the token has expired. Nothing here talks to LiveKit. However many tokens are issued, no more than
a fixed number of looks per second comes out, webhooks aside (facts, 20).
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

# Looks per second and process that are not a webhook's: about 1 ms of work each.
LOOKS_PER_SECOND = 25.0
# Rooms that are followed at once by one process; the sweep finds the others' humans.
ROOMS_FOLLOWED = 10_000
# With webhooks known to work, the first look of a followed room waits this long (seconds).
_WITH_WEBHOOKS_FIRST = 1.0
_LONGEST_GAP = 5.0
_SHORTEST_GAP = 0.1


@dataclass(frozen=True)
class Looked:
    """What a look means for the agenda: when to look again, and which tickets are in the room.

    Attributes:
        again_in: Seconds until the next look at this room; None: no need to.
        tickets: The sealed tickets of the humans in the room.
    """

    again_in: float | None = None
    tickets: frozenset[str] = frozenset()


@dataclass
class _Followed:
    """A room whose humans are yet to come; times in seconds of the agenda's clock."""

    since: float
    has_webhooks: Callable[[], bool]
    tickets: dict[int, float] = field(default_factory=dict)  # a ticket's hash, and its end


def gap(age: float, *, has_webhooks: bool) -> float:
    """Return the seconds to the next look at a room whose token was issued `age` seconds ago.

    Most people join at once: so often at first, ever more rarely later.
    """
    if has_webhooks:
        return min(max(_WITH_WEBHOOKS_FIRST, age / 2), _LONGEST_GAP)
    return min(max(_SHORTEST_GAP, age / 8), _LONGEST_GAP)


class Agenda:
    """The looks to come of one process; a room is in one thread's hand at a time.

    One lock guards everything, and nothing slow happens under it.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, budget: float = LOOKS_PER_SECOND
    ) -> None:
        self._clock, self._budget = clock, budget
        self._allowance, self._allowance_at = 1.0, clock()
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._urgent: dict[str, None] = {}  # in order of arrival
        self._planned: list[tuple[float, int, str]] = []  # a heap; valid where _due agrees
        self._due: dict[str, float] = {}
        self._followed: dict[str, _Followed] = {}
        self._in_hand: set[str] = set()
        self._is_closed = False

    def look_now(self, room_name: str) -> None:
        """Have the room looked at as soon as a thread is free, whatever the budget."""
        with self._changed:
            self._urgent[room_name] = None
            self._changed.notify()

    def look_in(self, room_name: str, seconds: float) -> None:
        """Have the room looked at by then, or earlier if that is planned already."""
        with self._changed:
            self._plan(room_name, seconds)

    def follow(
        self, room_name: str, ticket: str, seconds: float, has_webhooks: Callable[[], bool]
    ) -> None:
        """Look at the room now and then until the ticket is seen there, or for so long."""
        with self._changed:
            now = self._clock()
            followed = self._followed.pop(room_name, None) or _Followed(now, has_webhooks)
            followed.since, followed.has_webhooks = now, has_webhooks
            followed.tickets[hash(ticket)] = now + seconds
            self._followed[room_name] = followed
            if len(self._followed) > ROOMS_FOLLOWED:
                del self._followed[next(iter(self._followed))]
            self._plan(room_name, gap(0.0, has_webhooks=has_webhooks()))

    def take(self) -> str | None:
        """Wait for the next room to look at; None once the agenda is closed."""
        with self._changed:
            while not self._is_closed:
                room_name, wait = self._next()
                if room_name is not None:
                    self._in_hand.add(room_name)
                    return room_name
                self._changed.wait(wait)
            return None

    def finish(self, room_name: str, looked: Looked) -> None:
        """Put a room back that was taken."""
        with self._changed:
            self._in_hand.discard(room_name)
            if looked.again_in is not None:
                self._plan(room_name, looked.again_in)
            if followed := self._followed.get(room_name):
                self._follow_on(room_name, followed, looked)
            self._changed.notify()

    def close(self) -> None:
        """Send every thread that waits in `take` home."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _follow_on(self, room_name: str, followed: _Followed, looked: Looked) -> None:
        now = self._clock()
        seen = {hash(ticket) for ticket in looked.tickets}
        followed.tickets = {
            ticket: end
            for ticket, end in followed.tickets.items()
            if ticket not in seen and end > now
        }
        if followed.tickets:
            age = now - followed.since
            self._plan(room_name, gap(age, has_webhooks=followed.has_webhooks()))
        else:
            del self._followed[room_name]

    def _plan(self, room_name: str, seconds: float) -> None:
        due = self._clock() + seconds
        if due < self._due.get(room_name, float("inf")):
            self._due[room_name] = due
            heapq.heappush(self._planned, (due, next(self._order), room_name))
            self._changed.notify()

    def _next(self) -> tuple[str | None, float | None]:
        """Return a room that is due, or how long nothing will be (None: until a change)."""
        for room_name in self._urgent:
            if room_name not in self._in_hand:
                del self._urgent[room_name]
                return room_name, None
        while self._planned:
            due, _, room_name = self._planned[0]
            if self._due.get(room_name) != due:
                heapq.heappop(self._planned)
                continue
            wait = max(due - self._clock(), self._wait_for_allowance())
            if wait > 0:
                return None, wait
            heapq.heappop(self._planned)
            del self._due[room_name]
            if room_name in self._in_hand:
                # What made it due may have come after that look began.
                self._plan(room_name, _SHORTEST_GAP)
                continue
            self._allowance -= 1.0
            return room_name, None
        return None, None

    def _wait_for_allowance(self) -> float:
        """Refill the budget; return the seconds until one look may be taken from it."""
        now = self._clock()
        earned = (now - self._allowance_at) * self._budget
        self._allowance = min(self._allowance + earned, self._budget)
        self._allowance_at = now
        return max(0.0, (1.0 - self._allowance) / self._budget)
