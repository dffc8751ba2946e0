"""LiveKit's quota of requests: who may ask when, and what a refusal changes."""

from collections.abc import Sequence

import pytest

from token_server.livekit.pace import Purpose, asking_for, pay
from token_server.livekit.quota import Quota

OTHERS = [purpose for purpose in Purpose if purpose is not Purpose.WAITING]
STEP = 0.05


class Process:
    """One process with a pace; its time is the test's, and it remembers what it has asked."""

    def __init__(self, per_minute: int = 900, members: int = 1) -> None:
        self.now, self.members, self.told = 0.0, members, list[bool]()
        self.asked: list[tuple[float, Purpose]] = []
        self.pace = Quota(
            per_minute,
            lambda: self.members,
            lambda *, is_limited: self.told.append(is_limited),
            lambda: self.now,
        )

    def spend(self, purpose: Purpose, requests: int = 1) -> None:
        """Ask at once, whatever the pace says."""
        self.asked += [(self.now, purpose)] * requests
        self.pace.spent(requests, purpose)

    def go_on(self, seconds: float, hungry: Sequence[Purpose], *, humans: float = 0.0) -> None:
        """Let time pass; these ask whenever they may, and humans so often a second."""
        owed = 0.0
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            owed += humans * STEP
            while owed >= 1.0:
                owed -= 1.0
                self.spend(Purpose.WAITING)
            for purpose in hungry:
                while self.pace.wait(purpose) <= 0.0:
                    self.spend(purpose)

    def count(self, purpose: Purpose | None = None, since: float = 0.0) -> int:
        """Return how much has been asked since then."""
        return sum(at >= since and purpose in {None, asked} for at, asked in self.asked)

    def most_in_a_minute(self) -> int:
        """Return the most that was asked in any 60 s."""
        times = [at for at, _ in self.asked]
        return max(sum(begin <= at < begin + 60 for at in times) for begin in times)


def test_no_minute_has_more_than_the_quota() -> None:
    """However LiveKit counts: from one minute to the next, or the last 60 s."""
    process = Process(300)

    process.go_on(150, OTHERS)

    assert 285 < process.most_in_a_minute() <= 300 + len(Purpose)


def test_processes_share_the_quota_evenly_and_a_new_one_makes_room() -> None:
    """All of them together are one client of LiveKit's."""
    two = [Process(300, members=2) for _ in range(2)]
    for process in two:
        process.go_on(120, OTHERS)
    alone = two[0]
    alone.members = 1
    alone.go_on(60, OTHERS)
    begin = alone.now
    alone.members = 3
    alone.go_on(60, OTHERS)

    together = sum(process.count(since=60) - process.count(since=120) for process in two)
    assert 255 < together <= 300
    assert 75 < alone.count(since=begin + STEP) <= 100


def test_humans_are_never_held_back_and_all_others_pay_for_them() -> None:
    """A token is not refused because looks have spent the minute."""
    process = Process(600)
    process.go_on(60, OTHERS, humans=15)
    begin = process.now

    assert 0.0 == process.pace.wait(Purpose.WAITING)
    assert 900 <= process.count(Purpose.WAITING) + 1
    assert 60 >= process.count() - process.count(Purpose.WAITING)
    process.go_on(61, OTHERS)
    # A debt that is older than a minute is none.
    assert 500 > process.count(since=begin)
    process.go_on(60, OTHERS)
    assert 500 < process.count(since=begin + 61)


def test_humans_whose_agent_does_not_come_do_not_spend_what_tokens_need() -> None:
    """No worker is there: 20 rooms that are looked at every second would be twice the quota."""
    process = Process(900)

    process.go_on(120, [Purpose.AGAIN], humans=1)

    assert 900 >= process.most_in_a_minute()
    assert 700 < process.count(Purpose.AGAIN, since=60)


def test_whoever_comes_first_gets_more_and_nobody_is_starved() -> None:
    """Signs of life alone would be 3,600 a minute for 60 calls."""
    process = Process(900)

    process.go_on(180, OTHERS)

    counts = {purpose: process.count(purpose, since=60) / 2 for purpose in OTHERS}
    assert counts[Purpose.LIFE] > counts[Purpose.FRESH] > counts[Purpose.SWEEP] > 80
    assert counts[Purpose.FRESH] == pytest.approx(counts[Purpose.FOLLOWED], abs=2)


def test_signs_of_life_of_sixty_calls_come_every_fifteen_seconds_at_least() -> None:
    """What docs/settings.md promises, when all others want their share too, humans as well."""
    process = Process(900)

    process.go_on(180, OTHERS, humans=0.2 * 13.5)

    assert 15 == pytest.approx(60 / (process.count(Purpose.LIFE, since=60) / 120), abs=0.5)


def test_what_nobody_needs_is_the_others() -> None:
    """A night with one call is no reason to ask its agent every 15 s."""
    process = Process(900)

    process.go_on(120, [Purpose.LIFE])

    assert 800 < process.count(Purpose.LIFE, since=60) <= 815


@pytest.mark.parametrize("purpose", OTHERS)
def test_a_wait_is_as_long_as_it_says(purpose: Purpose) -> None:
    """Who sleeps so long may go then, and not much earlier."""
    process = Process(900, members=40)
    process.spend(purpose, 5)
    wait = process.pace.wait(purpose)

    process.now += wait * 0.8
    is_early = process.pace.wait(purpose) > 0.0
    process.now += wait * 0.2 + 1e-6

    assert (True, 0.0) == (is_early, process.pace.wait(purpose))


def test_after_a_refusal_only_humans_go() -> None:
    """Others have spent from the same quota; what is left of the minute is the humans'."""
    process = Process(900)
    process.pace.refused()

    waits = {purpose: process.pace.wait(purpose) for purpose in Purpose}

    assert 0.0 == waits.pop(Purpose.WAITING)
    assert all(wait >= 2.0 for wait in waits.values())


def test_who_says_how_long_is_heard() -> None:
    """Retry-After."""
    process = Process(900)
    process.pace.refused(retry_after=20.0)

    assert 20.0 <= process.pace.wait(Purpose.LIFE)


def test_refusals_without_an_end_make_the_pauses_longer() -> None:
    """2, 4, 8, 15: one try, and not one each two seconds for the rest of a minute."""
    process = Process(0)
    pauses = []
    for _ in range(5):
        process.pace.refused()
        process.pace.refused()
        pauses.append(process.pace.wait(Purpose.SWEEP))
        process.now += pauses[-1]

    assert [2.0, 4.0, 8.0, 15.0, 15.0] == pauses


def test_a_refusal_lowers_the_pace_and_time_brings_it_back() -> None:
    """The quota is smaller than we were told, or somebody else spends from it."""
    process = Process(600)
    process.go_on(60, OTHERS)
    process.pace.refused()
    process.go_on(120, OTHERS)
    lowered = process.count(since=120)
    process.go_on(420, OTHERS)
    begin = process.now
    process.go_on(60, OTHERS)

    assert 0.7 * 600 == pytest.approx(lowered, rel=0.15)
    assert 600 == pytest.approx(process.count(since=begin), rel=0.12)


def test_many_refusals_are_told_once_and_their_end_too() -> None:
    """A minute without any is the end."""
    process = Process(900)
    for _ in range(20):
        process.pace.refused()
        process.now += 1
    process.go_on(58, OTHERS)
    before = list(process.told)
    process.go_on(3, OTHERS)

    assert ([True], [True, False]) == (before, process.told)


def test_without_a_quota_nobody_waits_and_a_refusal_is_heard_all_the_same() -> None:
    """A proxy in front of a server of one's own may have limits as well."""
    process = Process(0)
    process.spend(Purpose.SWEEP, 10_000)
    before = [process.pace.wait(purpose) for purpose in Purpose]
    process.pace.refused()
    held = process.pace.wait(Purpose.SWEEP)
    process.now += 2.0

    assert ([0.0] * len(Purpose), 2.0, 0.0) == (before, held, process.pace.wait(Purpose.SWEEP))


def test_requests_are_for_humans_unless_somebody_says_what_they_are_for() -> None:
    """And what was counted when work was handed out is not counted once more."""
    process = Process(900, members=40)
    pay(process.pace)
    with asking_for(Purpose.LIFE, paid=1):
        pay(process.pace)
        is_free = process.pace.wait(Purpose.LIFE) <= 0.0
        pay(process.pace)
    with asking_for(Purpose.SWEEP):
        pay(process.pace)

    waits = [process.pace.wait(purpose) > 0.0 for purpose in OTHERS]
    assert (True, [False, False, True, False, True]) == (is_free, waits)
