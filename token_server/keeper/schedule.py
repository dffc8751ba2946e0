"""Which room is due for a look when. No I/O, no threads, no clock: every time is an argument.

A room is followed from the issue of a token until its human has come, or the token has expired
(following.py); what a look finds undone is planned anew by the looker. Each purpose has a lane and
a budget of its own, webhooks aside: none of them can eat the looks of another. A room whose looks
fail is looked at ever more rarely, and from a budget of its own.
"""

from collections import OrderedDict
from collections.abc import Container
from dataclasses import dataclass

from token_server.keeper.due_rooms import Budget, Plan
from token_server.keeper.following import (
    FRESH_PEEKS_PER_SECOND,
    LATER_PEEKS_PER_SECOND,
    Awaited,
    Due,
    Following,
    close_gap,
)
from token_server.livekit.pace import Pace, Purpose

# Looks at the same time in one process. On LiveKit Cloud each of a look's calls is a round trip of
# some 50 ms, so a burst of joins is a queue for a few lookers.
LOOKERS = 16
# So many of them are kept for webhooks and waiting humans: nobody waits behind a sweep.
_KEPT_FOR_REPAIRS = 4
# Looks per second and process that are not a webhook's, by what they are for; each is 1 to 2 ms of
# work. Those at followed rooms are the ones with somebody in them: the empty ones are peeked at.
LOOKS_PER_SECOND = {
    Purpose.WAITING: 50.0,
    Purpose.AGAIN: 50.0,
    Purpose.FRESH: 15.0,
    Purpose.FOLLOWED: 5.0,
    Purpose.SWEEP: 200.0,  # its own pace is less (sweeping.py)
}
_SHORTEST_GAP = 0.1
_LONGEST_PAUSE = 15.0
# Rooms whose looks fail get so many looks on top, and half of the threads that look: a look may
# fail by a time-out of LiveKit's.
RETRIES_PER_SECOND = 5.0
_FAILING_AT_ONCE = LOOKERS // 2
# Rooms whose looks fail; the one that has failed least lately is forgotten first.
ROOMS_FAILING = 10_000


@dataclass(frozen=True)
class Looked:
    """What a look means for the schedule.

    Attributes:
        again_in: Seconds until the next look at this room; None: no need to.
        tickets: The sealed tickets of those who are in the room, "" for whoever has none; nothing
            where nobody is.
        purpose: What the next look is for.
    """

    again_in: float | None = None
    tickets: frozenset[str] = frozenset()
    purpose: Purpose = Purpose.WAITING


def pause(failures: int) -> float:
    """Return the seconds until the next try after so many failures in a row: 1, 2, 4, 8, 15."""
    return min(2.0 ** min(failures - 1, 4), _LONGEST_PAUSE)


class Schedule:
    """The looks and peeks to come. A look's room is in one hand, from `take` to `finish`.

    Attributes:
        following: The rooms that are peeked at.

    Args:
        speed: How many times the usual looks and peeks per second there are.
        pace: How many requests LiveKit may be asked.
    """

    def __init__(self, speed: float = 1.0, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._urgent: OrderedDict[str, None] = OrderedDict()  # in order of arrival
        self._plans = {purpose: Plan() for purpose in LOOKS_PER_SECOND}
        self._budgets = {
            purpose: Budget(looks * speed) for purpose, looks in LOOKS_PER_SECOND.items()
        }
        self._retries, self._retry_budget = Plan(), Budget(RETRIES_PER_SECOND * speed)
        self.following = Following(
            FRESH_PEEKS_PER_SECOND * speed, LATER_PEEKS_PER_SECOND * speed, self._pace
        )
        self._failing: OrderedDict[str, int] = OrderedDict()  # how often in a row
        self._in_hand: set[str] = set()

    def look_now(self, room_name: str) -> None:
        """Make a room due at once, whatever the budget; but of one whose looks fail."""
        if room_name in self._failing:
            self._retries.add(room_name, 0.0)
        else:
            self._urgent[room_name] = None

    def look_at(self, room_name: str, due: float, purpose: Purpose = Purpose.WAITING) -> None:
        """Make a room due then, or earlier if that is planned already.

        A room whose looks fail keeps its pause.
        """
        if room_name not in self._failing:
            self._plans[purpose].add(room_name, due)

    def follow(self, room_name: str, awaited: Awaited, now: float) -> None:
        """Have a room peeked at now and then until somebody is seen there, or for so long."""
        self.following.follow(room_name, awaited, now)
        if room_name in self._failing:
            self.following.pause(room_name)
            self._retries.add(room_name, now + close_gap(0.0))

    def next_due(self) -> float:
        """Return a time before which no planned room is due for a look."""
        return min(plan.next_due() for plan in (*self._plans.values(), self._retries))

    def take(self, now: float) -> tuple[Due | None, float | None]:
        """Return a room to look at; or None and for how long none will be (None: till told)."""
        for budget in (*self._budgets.values(), self._retry_budget):
            budget.earn(now)
        due = self._take_urgent() or self._take_planned(now)
        if due is None:
            return None, self._wait_until_due(now)
        self._in_hand.add(due.room_name)
        # Counted now: until the thread asks, others would find that nothing has been spent.
        self._pace.spent(purpose=due.purpose)
        return due, None

    def take_peek(self, now: float) -> tuple[Due | None, float | None]:
        """Return a room to peek at; or None and for how long none will be (None: till told)."""
        return self.following.take(now)

    def peeked(self, room_name: str, now: float, *, is_empty: bool) -> None:
        """Go on after a peek that LiveKit has answered."""
        if is_empty:
            self.following.peeked(room_name, now)
        else:
            self.following.found(room_name, now)
            self.look_now(room_name)

    def _take_urgent(self) -> Due | None:
        # Those that it passes over are in hand, and these are few.
        room_name = next((name for name in self._urgent if self._is_free(name)), None)
        if room_name is None:
            return None
        del self._urgent[room_name]
        return Due(room_name, Purpose.WAITING)

    def _take_planned(self, now: float) -> Due | None:
        for purpose, plan, budget in self._lanes():
            while self._wait(purpose, budget) <= 0 and (room_name := plan.take(now)) is not None:
                if not self._is_free(room_name):
                    # What made it due may have come after the look in hand began.
                    plan.add(room_name, now + _SHORTEST_GAP)
                    continue
                budget.spend(1.0)
                return Due(room_name, purpose)
        return None

    def _lanes(self) -> list[tuple[Purpose, Plan, Budget]]:
        """Return what may be taken from and has rooms, the first first."""
        waiting, again, *others = [
            (each, self._plans[each], self._budgets[each]) for each in self._plans
        ]
        retries = (Purpose.WAITING, self._retries, self._retry_budget)
        has_room = len(self._in_hand) < LOOKERS - _KEPT_FOR_REPAIRS
        lanes = [
            waiting,
            again,
            *([retries] if self._may_fail() else []),
            *(others if has_room else []),
        ]
        return [lane for lane in lanes if len(lane[1])]

    def _wait(self, purpose: Purpose, budget: Budget) -> float:
        return max(budget.wait(), self._pace.wait(purpose))

    def _is_free(self, room_name: str) -> bool:
        is_held_back = room_name in self._failing and not self._may_fail()
        return room_name not in self._in_hand and not is_held_back

    def _may_fail(self) -> bool:
        return sum(room_name in self._failing for room_name in self._in_hand) < _FAILING_AT_ONCE

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
        for plan in self._plans.values():
            plan.drop(room_name)
        self.following.pause(room_name)
        # A webhook or a token of the meantime has made it due earlier.
        is_urgent = room_name in self._urgent
        self._urgent.pop(room_name, None)
        self._retries.add(room_name, 0.0 if is_urgent else now + pause(failures))
        return failures

    def fail_peek(self, room_name: str, now: float) -> int:
        """Have a room looked at whose peek has failed; return how often in a row it has."""
        if room_name in self._in_hand:
            self.following.peeked(room_name, now)
            return 1
        return self.fail(room_name, now)

    def forgive(self, now: float, unless: Container[str] = ()) -> None:
        """End the pauses of rooms whose looks have failed, but of these: LiveKit is back."""
        for room_name in self._failing:
            if room_name not in unless:
                self._retries.drop(room_name)
                self._plans[Purpose.WAITING].add(room_name, now)

    def _succeed(self, room_name: str) -> None:
        if self._failing.pop(room_name, None):
            self._retries.drop(room_name)

    def finish(self, room_name: str, looked: Looked, now: float) -> None:
        """Put a room back that was taken, and looked at without an error."""
        self._in_hand.discard(room_name)
        self._succeed(room_name)
        if looked.again_in is not None:
            self.look_at(room_name, now + looked.again_in, looked.purpose)
        if due := self.following.looked(room_name, looked.tickets, now):
            is_fresh = self.following.is_fresh(room_name, now)
            self.look_at(room_name, due, Purpose.FRESH if is_fresh else Purpose.FOLLOWED)

    def _wait_until_due(self, now: float) -> float | None:
        """Return the seconds until a look can be paid, None if none is planned."""
        waits = [
            max(plan.next_due() - now, self._wait(purpose, budget))
            for purpose, plan, budget in self._lanes()
        ]
        return max(min(waits), 0.0) if waits else None
