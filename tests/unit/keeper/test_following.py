from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.due import awaited, take, take_peek
from token_server.keeper.following import (
    FRESH_PEEKS_PER_SECOND,
    FRESH_SECONDS,
    LATER_PEEKS_PER_SECOND,
    ROOMS_FOLLOWED,
    TICKETS_AWAITED,
    Following,
    close_gap,
    gap,
)
from token_server.keeper.schedule import LOOKS_PER_SECOND, Looked, Schedule
from token_server.livekit.pace import Pace, Purpose

HOUR = 3600.0
NOBODY = Looked()


def play(
    schedule: Schedule, until: float, there: Looked = NOBODY, now: float = 0
) -> tuple[list[tuple[float, str]], list[tuple[float, str]]]:
    """Be one who peeks and one who looks, for whom time flies: when is which room asked for?"""
    peeks, looks = [], []
    while now <= until:
        peeked, peek_wait = take_peek(schedule, now)
        if peeked is not None:
            peeks.append((round(now, 3), peeked))
            schedule.peeked(peeked, now, is_empty=not there.tickets)
        looked_at, wait = take(schedule, now)
        if looked_at is not None:
            looks.append((round(now, 3), looked_at))
            schedule.finish(looked_at, there, now)
        waits = [each for each in (peek_wait, wait) if each is not None]
        if peeked is None and looked_at is None:
            if not waits:
                break
            now += min(waits) + 1e-9
    return peeks, looks


def times(asked: list[tuple[float, str]], room_name: str = "room") -> list[float]:
    """Return when one room was asked for."""
    return [moment for moment, name in asked if name == room_name]


@pytest.mark.parametrize("webhooks", [False, True])
def test_a_fresh_token_is_followed_closely_whether_webhooks_work_or_not(*, webhooks: bool) -> None:
    """A distant human is listed half a second before a webhook tells (livekit-behaviour 98)."""
    schedule = Schedule()
    schedule.follow("room", awaited(webhooks=webhooks), now=0)

    moments = times(play(schedule, until=FRESH_SECONDS)[0])

    steps = list(pairwise([0.0, *moments]))
    # Whoever comes at any moment is seen a tenth of that time later, on an average.
    late = [(later - earlier) / 2 / later for earlier, later in steps if earlier >= 0.5]
    assert (0.05, True) == (moments[0], max(late) <= 0.125)
    assert (True, True) == (max(b - a for a, b in steps) <= 0.26, len(moments) < 25)


def test_a_token_that_nobody_uses_is_peeked_at_ever_more_rarely_until_it_expires() -> None:
    """It costs a bounded number of peeks, and no look."""
    schedule = Schedule()
    schedule.follow("room", awaited(seconds=600), now=0)

    peeks, looks = play(schedule, until=HOUR)

    moments = times(peeks)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert sorted(gaps) == pytest.approx(gaps, abs=0.06)
    assert (True, True, []) == (600 <= moments[-1] < 606, len(moments) < 170, looks)


def test_where_webhooks_work_an_older_token_costs_next_to_nothing() -> None:
    """They come first there; following is the safety net (livekit-behaviour 53)."""
    schedule = Schedule()
    schedule.follow("room", awaited(seconds=63, webhooks=True), now=0)

    moments = times(play(schedule, until=HOUR)[0])

    assert len([moment for moment in moments if moment > FRESH_SECONDS]) < 18


def test_around_the_age_at_which_the_last_human_came_peeks_are_closest() -> None:
    """The humans of one product are much alike."""
    schedule = Schedule()
    schedule.follow("first", awaited("first"), now=0)
    play(schedule, until=0.34)
    play(schedule, until=1, there=Looked(tickets=frozenset({"first"})), now=0.34)
    schedule.follow("second", awaited("second"), now=1)

    moments = times(play(schedule, until=1.6, now=1)[0], "second")

    close = [later for earlier, later in pairwise(moments) if later - earlier <= 0.011]
    assert (True, True) == (1.3 <= min(close), 1.33 <= max(close) <= 1.37)


def test_nothing_is_learnt_from_a_room_in_which_somebody_was_before() -> None:
    """They may have come at any time."""
    schedule = Schedule()
    schedule.follow("first", awaited("first"), now=0)
    play(schedule, until=1, there=Looked(tickets=frozenset({"first"})))
    schedule.follow("second", awaited("second"), now=1)

    moments = times(play(schedule, until=1.6, now=1)[0], "second")

    assert min(later - earlier for earlier, later in pairwise(moments)) >= 0.0499


def test_where_somebody_is_a_look_follows_at_once() -> None:
    """A peek sees that somebody is there, and not who."""
    schedule = Schedule()
    schedule.follow("room", awaited("new"), now=0)

    peeks, looks = play(schedule, until=HOUR, there=Looked(tickets=frozenset({"new"})))

    assert ([(0.05, "room")], [(0.05, "room")]) == (peeks, looks)


def test_beside_somebody_else_a_room_is_followed_by_looks() -> None:
    """The same person's earlier visit does not count, and no peek could tell the two apart."""
    schedule = Schedule()
    schedule.follow("room", awaited("new"), now=0)

    peeks, looks = play(schedule, until=2, there=Looked(tickets=frozenset({"old"})))
    _, at_last = play(schedule, until=HOUR, there=Looked(tickets=frozenset({"new"})), now=2)

    assert (1, True, 1) == (len(peeks), 8 <= len(looks) <= 20, len(at_last))


def test_once_everybody_has_left_peeks_go_on() -> None:
    """They are cheaper."""
    schedule = Schedule()
    schedule.follow("room", awaited("new"), now=0)
    play(schedule, until=1, there=Looked(tickets=frozenset({"old"})))

    peeks, looks = play(schedule, until=5, now=1)

    assert (1, True) == (len(looks), len(peeks) > 5)


def test_a_room_is_followed_for_each_of_its_tokens() -> None:
    """The second human's agent may be another one."""
    schedule = Schedule()
    schedule.follow("room", awaited("first"), now=0)
    schedule.follow("room", awaited("second"), now=0)

    _, looks = play(schedule, until=5, there=Looked(tickets=frozenset({"first"})))

    assert len(looks) > 5


@pytest.mark.parametrize("webhooks", [False, True])
def test_no_number_of_tokens_exceeds_the_budget(*, webhooks: bool) -> None:
    """/token at full speed must not drown LiveKit, or us, in peeks (livekit-behaviour 7)."""
    schedule = Schedule()
    for number in range(9000):
        schedule.follow(f"room-{number}", awaited(webhooks=webhooks), now=number / 1000)

    while_new = play(schedule, until=9)[0]
    afterwards = play(schedule, until=40, now=13)[0]

    assert len(while_new) <= 10 * (FRESH_PEEKS_PER_SECOND + LATER_PEEKS_PER_SECOND) + 2
    a_second = LATER_PEEKS_PER_SECOND / (6 if webhooks else 1)
    assert 27 * a_second - 1 <= len(afterwards) <= 28 * a_second + LATER_PEEKS_PER_SECOND


def test_under_pressure_the_newest_tokens_go_first() -> None:
    """A human who comes, comes soon; webhooks find the humans of the others."""
    schedule = Schedule()
    for number in range(400):
        schedule.follow(f"room-{number}", awaited(webhooks=True), now=1 + number / 1000)

    peeks, _ = play(schedule, until=1.5, now=1.45)

    assert {f"room-{number}" for number in range(400 - len(peeks), 400)} == {
        room_name for _, room_name in peeks
    }


def test_ten_tokens_a_second_leave_each_its_first_second() -> None:
    """Twenty a second, that is, over two processes; and nobody joins with any of them."""
    schedule = Schedule()
    asked: list[tuple[float, str]] = []
    for number in range(100):
        schedule.follow(f"room-{number}", awaited(webhooks=True), now=number / 10)
        asked += play(schedule, until=number / 10 + 0.0999, now=number / 10)[0]

    for number in range(30, 90):
        moments = [0.0, *(m - number / 10 for m in times(asked, f"room-{number}"))]
        gaps = [b - a for a, b in pairwise(moments) if a < 0.9]
        assert max(gaps) <= 0.4


def test_a_human_who_waits_goes_before_any_number_of_tokens() -> None:
    """Somebody who floods /token must not put off the repair of another's dispatch."""
    schedule = Schedule()
    for number in range(2000):
        schedule.follow(f"room-{number}", awaited(), now=0)
    schedule.look_at("waiting", 60)

    _, looks = play(schedule, until=120)

    assert [(60.0, "waiting")] == looks


def test_many_rooms_with_somebody_in_them_are_followed_within_a_budget() -> None:
    """Agents that were ordered with the room wait there for each token's human."""
    schedule = Schedule()
    for number in range(2000):
        schedule.follow(f"room-{number}", awaited(), now=0)

    _, looks = play(schedule, until=20, there=Looked(tickets=frozenset({""})))

    first = 20 * (FRESH_PEEKS_PER_SECOND + LATER_PEEKS_PER_SECOND)
    again = 21 * (LOOKS_PER_SECOND[Purpose.FRESH] + LOOKS_PER_SECOND[Purpose.FOLLOWED])
    assert len(looks) <= first + again


def test_only_so_many_rooms_are_followed() -> None:
    """Memory is bounded too; the oldest is left to the sweep."""
    schedule = Schedule(speed=1e9)
    for number in range(ROOMS_FOLLOWED + 1):
        schedule.follow(f"room-{number}", awaited(), now=0)

    peeked_at = {room_name for _, room_name in play(schedule, until=0.06)[0]}

    assert {f"room-{number}" for number in range(1, ROOMS_FOLLOWED + 1)} == peeked_at


def test_only_so_many_humans_are_awaited_in_one_room() -> None:
    """Somebody who fetches tokens for one room without end fills no memory."""
    schedule = Schedule()
    for number in range(TICKETS_AWAITED + 1):
        schedule.follow("room", awaited(f"ticket-{number}"), now=0)
    there = Looked(tickets=frozenset(f"ticket-{n}" for n in range(1, TICKETS_AWAITED + 1)))

    _, looks = play(schedule, until=HOUR, there=there)

    assert 1 == len(looks)


@given(ages=st.lists(st.floats(min_value=0, max_value=HOUR)), webhooks=st.booleans())
def test_whatever_the_age_the_gap_is_bounded(ages: list[float], *, webhooks: bool) -> None:
    """No busy loop, and nobody waits longer than a sweep."""
    assert all(0.05 <= gap(age, has_webhooks=webhooks) <= 5.0 for age in ages)
    assert all(close_gap(age) <= 0.25 for age in ages)


def test_a_flood_that_never_ends_takes_no_more_memory_than_its_fresh_rooms() -> None:
    """Twenty tokens a second are more than can be peeked at: the older ones are passed over."""
    following = Following(FRESH_PEEKS_PER_SECOND, LATER_PEEKS_PER_SECOND, Pace())
    now = 1_000.0
    for number in range(2_000):
        following.follow(f"room-{number}", awaited(f"ticket-{number}"), now)
        now += 0.05
        while due := following.take(now)[0]:
            following.peeked(due.room_name, now)

    assert len(following._ready._heap) < 300  # noqa: SLF001 (nothing else shows it)


def test_without_webhooks_no_fresh_token_is_passed_over_for_newer_ones_alone() -> None:
    """Twenty a second are too many: yet who joins two seconds after theirs waits for no sweep."""
    schedule = Schedule()
    asked: list[tuple[float, str]] = []
    for number in range(200):
        schedule.follow(f"room-{number}", awaited(), now=number / 20)
        asked += play(schedule, until=number / 20 + 0.0499, now=number / 20)[0]

    for number in range(60, 130):
        ages = [moment - number / 20 for moment in times(asked, f"room-{number}")]
        assert any(1.0 < age < FRESH_SECONDS for age in ages)
