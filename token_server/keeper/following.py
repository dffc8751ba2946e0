"""Rooms whose humans have a token and are yet to come. No I/O, no threads, no clock.

Most people join at once. So a room is peeked at closely in the first seconds after its token, and
ever more rarely until the token has expired. A peek asks LiveKit whether anybody is there; where
somebody is, a look sees who. Around the age at which the latest humans came, the peeks are closest
(usual_arrivals.py). However many tokens are issued, no more than a fixed number of peeks
per second comes out. When that does not suffice, the newest tokens go first: webhooks find the
humans of the others. Where those are not known to work, some peeks are theirs; and the sweep.
"""

import itertools
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from token_server.keeper.due_rooms import Budget, Plan
from token_server.keeper.usual_arrivals import UsualArrivals
from token_server.livekit.pace import Pace, Purpose
from token_server.state.bounded import Bounded

# Seconds after a token in which its room is followed closely, whether webhooks work or not: a
# distant human is listed half a second before a webhook tells of them (livekit-behaviour 98).
FRESH_SECONDS = 3.0
# Peeks per second and process, each 0.1 to 0.2 ms of work. With ten tokens a second and process
# each gets all that are due: who is 250 ms away comes more than a second after their token.
FRESH_PEEKS_PER_SECOND = 300.0
# The same after these seconds; and as how many one counts where webhooks are known to work: 200
# rooms are to cost less than 2 % of a core.
LATER_PEEKS_PER_SECOND = 15.0
_WITH_WEBHOOKS_PRICE = 6.0
# Rooms that one process follows at once; the sweep finds the humans of the others.
ROOMS_FOLLOWED = 10_000
# Tokens of one room whose humans are awaited; the oldest is forgotten first.
TICKETS_AWAITED = 1_000
# Seconds between two peeks at a fresh room, by the share of the time that has passed anyway.
_SHORTEST_GAP, _LONGEST_CLOSE_GAP, _SHARE = 0.05, 0.25, 1 / 6
# Seconds between two peeks later.
_WITH_WEBHOOKS_SHORTEST = 1.0
_LONGEST_GAP = 5.0
# Seconds between two looks at a fresh room with somebody in it: a look costs more than a peek.
_PEOPLED_GAP = 0.1
# One in so many peeks at fresh rooms is where one has been due for longest, if no webhook may tell.
_ONE_IN = 4


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """A human who has a token and is yet to come.

    Attributes:
        ticket: Their sealed ticket, by which they are known when they are there.
        seconds: How long they may still come.
        has_webhooks: Asked now and then: are webhooks known to work for this room?
    """

    ticket: str
    seconds: float
    has_webhooks: Callable[[], bool]


class Due(NamedTuple):
    """A room that is to be looked or peeked at, and what for."""

    room_name: str
    purpose: Purpose


@dataclass
class _Followed:
    since: float
    has_webhooks: Callable[[], bool]
    # When a peek has found nobody, since the latest token.
    empty_at: float | None = None
    # By a ticket's hash.
    ends: Bounded[int, float] = field(default_factory=lambda: Bounded(TICKETS_AWAITED))


def close_gap(age: float) -> float:
    """Return the seconds to the next peek at a room whose token is so fresh.

    What a human waits for it is a small part of the time that they have taken anyway.
    """
    return min(max(_SHORTEST_GAP, age * _SHARE), _LONGEST_CLOSE_GAP)


def gap(age: float, *, has_webhooks: bool) -> float:
    """Return the seconds to the next peek at a room whose token was issued `age` seconds ago."""
    if age < FRESH_SECONDS:
        return close_gap(age)
    if has_webhooks:
        return min(max(_WITH_WEBHOOKS_SHORTEST, age / 2), _LONGEST_GAP)
    return min(age / 8, _LONGEST_GAP)


class Following:
    """The peeks to come."""

    def __init__(self, fresh_per_second: float, later_per_second: float, pace: Pace) -> None:
        self._pace = pace
        self._rooms: OrderedDict[str, _Followed] = OrderedDict()  # the oldest token first
        self._fresh, self._later = Plan(), Plan()
        self._ready = Plan()  # of the fresh ones, those that are due, by how new their tokens are
        self._peeks = itertools.count(1)
        self._arrivals = UsualArrivals()
        self._ageing: deque[tuple[float, str]] = deque()  # the fresh ones, the oldest first
        self._fresh_budget, self._later_budget = Budget(fresh_per_second), Budget(later_per_second)

    def __len__(self) -> int:
        """Return how many rooms are followed."""
        return len(self._rooms)

    def follow(self, room_name: str, awaited: Awaited, now: float) -> None:
        """Have a room peeked at until its human has come, or for so long."""
        followed = self._rooms.pop(room_name, None) or _Followed(now, awaited.has_webhooks)
        followed.since, followed.has_webhooks = now, awaited.has_webhooks
        followed.empty_at = None
        followed.ends[hash(awaited.ticket)] = now + awaited.seconds
        self._rooms[room_name] = followed
        if len(self._rooms) > ROOMS_FOLLOWED:
            self.pause(self._rooms.popitem(last=False)[0])
        self._later.drop(room_name)
        self._ready.drop(room_name)
        self._ageing.append((now, room_name))
        self._fresh.add(room_name, now + close_gap(0.0))

    def pause(self, room_name: str) -> None:
        """Peek at a room no more until it was looked at."""
        self._fresh.drop(room_name)
        self._ready.drop(room_name)
        self._later.drop(room_name)

    def next_due(self) -> float:
        """Return a time before which no other room is due than those that cannot be paid yet."""
        return min(self._fresh.next_due(), self._later.next_due())

    def take(self, now: float) -> tuple[Due | None, float | None]:
        """Return a room to peek at; or None and for how long none will be (None: till told)."""
        self._fresh_budget.earn(now)
        self._later_budget.earn(now)
        self._age(now)
        if due := self._take_fresh() or self._take_later(now):
            # Counted now: until the thread asks, others would find that nothing has been spent.
            self._pace.spent(purpose=due.purpose)
        return due, None if due else self._wait_until_due(now)

    def _age(self, now: float) -> None:
        """Bring each room to where it belongs: a fresh one is due, or is fresh no more."""
        while (room_name := self._fresh.take(now)) is not None:
            if not (followed := self._rooms.get(room_name)):
                continue
            if now - followed.since < FRESH_SECONDS:
                self._ready.add(room_name, -followed.since)
            else:
                self._later.add(room_name, now)
        while self._ageing and now - self._ageing[0][0] >= FRESH_SECONDS:
            since, room_name = self._ageing.popleft()
            followed = self._rooms.get(room_name)
            if followed and followed.since == since and self._ready.drop(room_name):
                self._later.add(room_name, now)

    def _take_fresh(self) -> Due | None:
        if self._wait_fresh() > 0 or not len(self._ready):
            return None
        is_its_turn = next(self._peeks) % _ONE_IN == 0
        room_name = (self._longest_due() if is_its_turn else None) or self._ready.take(float("inf"))
        if room_name is None:
            return None
        self._fresh_budget.spend(1.0)
        return Due(room_name, Purpose.FRESH)

    def _longest_due(self) -> str | None:
        """Take out the fresh room that has been due for longest, if no webhook may tell of it."""
        room_name = self._ready.longest()
        followed = self._rooms.get(room_name) if room_name else None
        if room_name is None or followed is None or followed.has_webhooks():
            return None
        self._ready.drop(room_name)
        return room_name

    def _take_later(self, now: float) -> Due | None:
        while self._wait_later() <= 0 and (room_name := self._later.take(now)) is not None:
            if followed := self._rooms.get(room_name):
                self._later_budget.spend(_WITH_WEBHOOKS_PRICE if followed.has_webhooks() else 1.0)
                return Due(room_name, Purpose.FOLLOWED)
        return None

    def _wait_fresh(self) -> float:
        return max(self._fresh_budget.wait(), self._pace.wait(Purpose.FRESH))

    def _wait_later(self) -> float:
        return max(self._later_budget.wait(), self._pace.wait(Purpose.FOLLOWED))

    def peeked(self, room_name: str, now: float) -> None:
        """Plan the next peek at a room in which nobody was."""
        if (followed := self._followed_yet(room_name, now)) is None:
            return
        age = now - followed.since
        followed.empty_at = now
        if age < FRESH_SECONDS:
            self._fresh.add(room_name, now + self._arrivals.gap(age, close_gap(age)))
        else:
            due = now + gap(age, has_webhooks=followed.has_webhooks())
            self._later.add(room_name, due)

    def found(self, room_name: str, now: float) -> None:
        """Learn from a peek at a room in which somebody was."""
        followed = self._rooms.get(room_name)
        if followed and followed.empty_at is not None and now - followed.since < FRESH_SECONDS:
            self._arrivals.came(followed.empty_at - followed.since, now - followed.since)
            followed.empty_at = None

    def looked(self, room_name: str, tickets: Iterable[str], now: float) -> float | None:
        """Go on after a look that has seen these humans.

        Returns:
            When the next look at it is due, since somebody is there whom no peek could tell from
            those who are to come; None where there is none, or where peeks go on.
        """
        if room_name not in self._rooms:
            return None
        is_empty = True
        for ticket in tickets:
            is_empty = False
            self._rooms[room_name].ends.pop(hash(ticket), None)
        if is_empty or (followed := self._followed_yet(room_name, now)) is None:
            self.peeked(room_name, now)
            return None
        self.pause(room_name)
        has_webhooks = followed.has_webhooks()
        return now + max(gap(now - followed.since, has_webhooks=has_webhooks), _PEOPLED_GAP)

    def is_fresh(self, room_name: str, now: float) -> bool:
        """Whether its token was issued a moment ago."""
        followed = self._rooms.get(room_name)
        return followed is not None and now - followed.since < FRESH_SECONDS

    def _followed_yet(self, room_name: str, now: float) -> _Followed | None:
        """Return what is known of a room, if one of its humans may still come."""
        if (followed := self._rooms.get(room_name)) is None:
            return None
        # Tokens live for equally long: the first ends first.
        while followed.ends and next(iter(followed.ends.values())) <= now:
            followed.ends.popitem(last=False)
        if followed.ends:
            return followed
        del self._rooms[room_name]
        self.pause(room_name)
        return None

    def _wait_until_due(self, now: float) -> float | None:
        ready_at = now if len(self._ready) else self._fresh.next_due()
        fresh = max(ready_at - now, self._wait_fresh())
        # What is ready and cannot be paid is another lane's after a while.
        aged = self._ageing[0][0] + FRESH_SECONDS - now if len(self._ready) else float("inf")
        later = max(self._later.next_due() - now, self._wait_later())
        wait = max(min(fresh, aged, later), 0.0)
        return None if wait == float("inf") else wait
