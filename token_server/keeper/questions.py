"""When which agent is asked for a sign of life. No I/O, no clock: every time is an argument."""

from token_server.keeper.due_rooms import Budget, Plan

# Seconds between two questions to an agent that answers, and to one that has not answered the last.
ASK_EVERY = 1.0
ASK_AGAIN = 0.5
# Questions a second and process; each is some 0.3 ms of work. With more agents than that the
# seconds between two questions to one of them grow.
PER_SECOND = 300.0


class Questions:
    """The questions to come, by an agent's sid."""

    def __init__(self, per_second: float = PER_SECOND) -> None:
        self._budget, self._per_second = Budget(per_second), per_second
        self._regular, self._doubtful = Plan(), Plan()
        self._asked_at: dict[str, float] = {}  # or planned for the first time

    def begin(self, sid: str, now: float) -> None:
        """Ask this one from now on."""
        self._asked_at[sid] = now
        self._regular.add(sid, now)

    def end(self, sid: str) -> None:
        """Ask this one no more."""
        self._asked_at.pop(sid, None)
        self._regular.drop(sid)
        self._doubtful.drop(sid)

    def again(self, sid: str, asked_at: float, now: float, *, is_in_doubt: bool) -> None:
        """Plan the next question to one that was asked then; in doubt, soon."""
        if is_in_doubt:
            self._doubtful.add(sid, max(now, asked_at + ASK_AGAIN))
        else:
            interval = max(ASK_EVERY, len(self._asked_at) / self._per_second)
            self._regular.add(sid, max(now, asked_at + interval))

    def take(self, now: float) -> str | None:
        """Return who is to be asked now, None if nobody; who is in doubt whatever the budget."""
        self._budget.earn(now)
        sid = self._doubtful.take(now)
        if sid is None and self._budget.wait() <= 0:
            sid = self._regular.take(now)
        if sid is not None:
            self._budget.spend(1.0)
            self._asked_at[sid] = now
        return sid

    def is_in_doubt(self, now: float) -> bool:
        """Whether somebody who may not answer is to be asked now."""
        return self._doubtful.next_due() <= now

    def next_due(self, now: float) -> float:
        """Return a time before which nobody is to be asked."""
        self._budget.earn(now)
        paid = now + self._budget.wait()
        return min(self._doubtful.next_due(), max(self._regular.next_due(), paid))

    def longest_interval(self, now: float) -> float:
        """Return the seconds since the question to whom it is the longest ago."""
        return max((now - asked_at for asked_at in self._asked_at.values()), default=0.0)
