"""One income of requests, divided among what they are for. Pure: no I/O, no clock.

Each purpose has a purse and a share of the income. What a full purse cannot take goes to the
others, so nothing is lost while anybody wants something, and nobody is starved either: with
thresholds alone the signs of life of 60 calls, which would be 3,600 a minute, would leave nothing
for followed rooms and the sweep. Humans who wait are never held back: what they need beyond their
purse is their debt, and all income pays it first. But their rooms are looked at every second until
the agent is there, and where no worker is, 20 of them would be twice the quota: that has a purse.
"""

from collections.abc import Mapping

from token_server.livekit.pace import Purpose

# Of the income. With 60 calls at 900 a minute the signs of life are 243 a minute where all others
# want their share too: one every 15 s for each agent.
SHARES: Mapping[Purpose, float] = {
    Purpose.WAITING: 0.20,
    Purpose.AGAIN: 0.10,
    Purpose.FRESH: 0.15,
    Purpose.LIFE: 0.30,
    Purpose.FOLLOWED: 0.15,
    Purpose.SWEEP: 0.10,
}
_NOTHING = 1e-9


class Purses:
    """What may be spent on each purpose; all are full at first."""

    def __init__(self) -> None:
        self._content = dict.fromkeys(Purpose, float("inf"))

    def earn(self, income: float, most: float) -> None:
        """Take in requests; all purses together hold so many at most."""
        rooms = {purpose: share * most for purpose, share in SHARES.items()}
        for purpose, room in rooms.items():
            self._content[purpose] = min(self._content[purpose], room)
        while income > _NOTHING and (parts := self._parts(rooms)):
            left = 0.0
            for purpose, part in parts.items():
                taken = min(income * part, self._room(purpose, rooms))
                self._content[purpose] += taken
                left += income * part - taken
            income = left

    def spend(self, purpose: Purpose, requests: float, debt: float) -> None:
        """Take from a purse, down to this much debt: what is older than a minute counts no more."""
        self._content[purpose] = max(self._content[purpose] - requests, -debt)

    def empty(self) -> None:
        """Take everything, but no debt."""
        self._content = {purpose: min(held, 0.0) for purpose, held in self._content.items()}

    def missing(self, purpose: Purpose, most: float) -> float:
        """Return how much income it takes until this purpose may have its next request.

        A purse may be spent from while it is not in debt, so one that never holds a whole request
        has its turn too.
        """
        held = self._content[purpose]
        if held >= 0.0 or purpose is Purpose.WAITING:
            return 0.0
        first = max(-self._content[Purpose.WAITING], 0.0)
        rooms = {each: share * most for each, share in SHARES.items()}
        hungry = [each for each in SHARES if self._content[each] < rooms[each]]
        return first - held * sum(SHARES[each] for each in hungry) / SHARES[purpose]

    def _parts(self, rooms: Mapping[Purpose, float]) -> dict[Purpose, float]:
        """Return whose the income is now, in parts of one."""
        if self._content[Purpose.WAITING] < -_NOTHING:
            return {Purpose.WAITING: 1.0}
        hungry = {p: s for p, s in SHARES.items() if rooms[p] - self._content[p] > _NOTHING}
        return {purpose: share / sum(hungry.values()) for purpose, share in hungry.items()}

    def _room(self, purpose: Purpose, rooms: Mapping[Purpose, float]) -> float:
        held = self._content[purpose]
        # A debt is paid first, and the rest is divided anew.
        is_debt = purpose is Purpose.WAITING and held < -_NOTHING
        return -held if is_debt else rooms[purpose] - held
