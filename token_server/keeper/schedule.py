"""Which room is due for a look when. No I/O, no threads, no clock: every time is an argument.

A room is followed from the issue of a token until its human has come, or the token has expired;
what a look finds undone is planned anew by the looker. However many tokens are issued, no more
than a fixed number of looks per second comes out, webhooks aside (livekit-behaviour 7). A room
whose looks fail is looked at ever more rarely, and from a budget of its own.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass, field

from token_server.keeper.due_rooms import Budget, Plan
from token_server.livekit.pace import Purpose

# Looks per second and process that are not a webhook's; each is about 1 ms of work.
LOOKS_PER_SECOND = 15.0
# Looks of the sweep, which has a pace of its own (sweeping.py).
_SWEPT_PER_SECOND = 200.0
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
_LONGEST_PAUSE = 15.0
# Rooms whose looks fail get a third as many looks on top, and half of the four threads that look:
# a look may fail by a time-out of LiveKit's.
_FAILING_SHARE = 1 / 3
_FAILING_AT_ONCE = 2
# Rooms whose looks fail; the one that has failed least lately is forgotten first.
ROOMS_FAILING = 10_000


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


def pause(failures: int) -> float:
    """Return the seconds until the next try after so many failures in a row: 1, 2, 4, 8, 15."""
    return min(2.0 ** min(failures - 1, 4), _LONGEST_PAUSE)


class Schedule:
    """The looks to come. A room is in one hand at a time, from `take` to `finish`."""

    def __init__(self, looks_per_second: float = LOOKS_PER_SECOND) -> None:
        self._budget = Budget(looks_per_second)
        self._failing_budget = Budget(looks_per_second * _FAILING_SHARE)
        self._urgent: dict[str, None] = {}  # in order of arrival
        # Rooms with somebody in them, rooms whose looks fail, and rooms that are only followed.
        self._peopled, self._retries, self._empty = Plan(), Plan(), Plan()
        self._swept, self._sweep_budget = Plan(), Budget(_SWEPT_PER_SECOND)
        self._followed: dict[str, _Followed] = {}
        self._failing: dict[str, int] = {}  # how often in a row
        self._in_hand: set[str] = set()

    def look_now(self, room_name: str) -> None:
        """Make a room due at once, whatever the budget; but of one whose looks fail."""
        if room_name in self._failing:
            self._retries.add(room_name, 0.0)
        else:
            self._urgent[room_name] = None

    def look_at(self, room_name: str, due: float, purpose: Purpose = Purpose.WAITING) -> None:
        """Make a room with somebody in it due then, or earlier if that is planned already.

        When more is due than the budget allows, these go before the rooms that are only followed.
        A room whose looks fail keeps its pause.
        """
        if room_name not in self._failing:
            (self._swept if purpose is Purpose.SWEEP else self._peopled).add(room_name, due)

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
        plan = self._retries if room_name in self._failing else self._empty
        plan.add(room_name, now + gap(0.0, has_webhooks=awaited.has_webhooks()))

    @property
    def rooms_followed(self) -> int:
        """How many rooms are followed."""
        return len(self._followed)

    def next_due(self) -> float:
        """Return a time before which no planned room is due."""
        return min(plan.next_due() for plan, _ in self._lanes())

    def take(self, now: float) -> tuple[str | None, float | None]:
        """Return a room that is due; or None and for how long none will be (None: till told)."""
        self._budget.earn(now)
        self._failing_budget.earn(now)
        self._sweep_budget.earn(now)
        room_name = self._take_urgent() or self._take_planned(now)
        if room_name is None:
            return None, self._wait_until_due(now)
        self._in_hand.add(room_name)
        return room_name, None

    def _take_urgent(self) -> str | None:
        room_name = next((name for name in self._urgent if self._is_free(name)), None)
        if room_name is not None:
            del self._urgent[room_name]
        return room_name

    def _take_planned(self, now: float) -> str | None:
        for plan, budget in self._lanes():
            while budget.wait() <= 0 and (due := plan.take(now)) is not None:
                if plan is self._empty and due not in self._followed:
                    continue
                if not self._is_free(due):
                    # What made it due may have come after the look in hand began.
                    plan.add(due, now + _SHORTEST_GAP)
                    continue
                budget.spend(self._price(due) if plan is self._empty else 1.0)
                return due
        return None

    def _lanes(self) -> list[tuple[Plan, Budget]]:
        """Return what may be taken from, the first first."""
        failing = [(self._retries, self._failing_budget)] if self._may_fail() else []
        empty, swept = (self._empty, self._budget), (self._swept, self._sweep_budget)
        return [(self._peopled, self._budget), *failing, empty, swept]

    def _is_free(self, room_name: str) -> bool:
        is_held_back = room_name in self._failing and not self._may_fail()
        return room_name not in self._in_hand and not is_held_back

    def _may_fail(self) -> bool:
        return len(self._in_hand & self._failing.keys()) < _FAILING_AT_ONCE

    def _price(self, room_name: str) -> float:
        has_webhooks = self._followed[room_name].has_webhooks()
        return _WITH_WEBHOOKS_PRICE if has_webhooks else 1.0

    def fail(self, room_name: str, now: float) -> int:
        """Put a room back whose look has failed; return how often in a row it has.

        The next look is at the end of its pause, but that a webhook or a token makes it come
        earlier; all are paid from the budget of those that fail.
        """
        self._in_hand.discard(room_name)
        failures = self._failing.pop(room_name, 0) + 1
        self._failing[room_name] = failures
        if len(self._failing) > ROOMS_FAILING:
            self._succeed(next(iter(self._failing)))
        self._peopled.drop(room_name)
        self._swept.drop(room_name)
        self._empty.drop(room_name)
        # A webhook or a token of the meantime has made it due earlier.
        self._retries.add(room_name, now + pause(failures))
        return failures

    def forgive(self, now: float, unless: Container[str] = ()) -> None:
        """End the pauses of rooms whose looks have failed, but of these: LiveKit is back."""
        for room_name in self._failing:
            if room_name not in unless:
                self._retries.drop(room_name)
                self._peopled.add(room_name, now)

    def _succeed(self, room_name: str) -> None:
        if self._failing.pop(room_name, None):
            self._retries.drop(room_name)

    def finish(self, room_name: str, looked: Looked, now: float) -> None:
        """Put a room back that was taken, and looked at without an error."""
        self._in_hand.discard(room_name)
        self._succeed(room_name)
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
        """Return the seconds until a look can be paid, None if none is planned."""
        waits = [max(plan.next_due() - now, budget.wait()) for plan, budget in self._lanes()]
        wait = max(min(waits), 0.0)
        return None if wait == float("inf") else wait
