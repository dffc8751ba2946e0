from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from token_server.keeper.following import close_gap
from token_server.keeper.usual_arrivals import UsualArrivals


def peeks(arrivals: UsualArrivals, until: float = 3.0) -> list[float]:
    """Return the ages at which an empty room is peeked at."""
    ages = [0.05]
    while ages[-1] < until:
        ages.append(ages[-1] + arrivals.gap(ages[-1], close_gap(ages[-1])))
    return ages


def come(arrivals: UsualArrivals, at: float) -> float:
    """Have a human come at this age; return the seconds until a peek finds them."""
    after, by = next((a, b) for a, b in pairwise(peeks(arrivals)) if a <= at < b)
    arrivals.came(after, by)
    return by - at


def test_where_nobody_has_come_the_gaps_are_as_they_would_be() -> None:
    """A new process knows nothing."""
    assert peeks(UsualArrivals()) == peeks_of_all_ages()


def peeks_of_all_ages() -> list[float]:
    """Return the ages of an empty room's peeks where nothing is learnt."""
    ages = [0.05]
    while ages[-1] < 3.0:
        ages.append(ages[-1] + close_gap(ages[-1]))
    return ages


@given(st.floats(min_value=0.31, max_value=0.39))
def test_who_comes_when_others_came_is_found_within_a_hundredth(age: float) -> None:
    """A human 60 ms away waits for the next peek longer than for anything else of ours."""
    arrivals = UsualArrivals()
    for other in (0.3, 0.31, 0.33, 0.36, 0.39, 0.4) * 4:
        come(arrivals, other)

    assert come(arrivals, age) <= 0.0101


def test_who_comes_at_another_age_waits_no_longer_than_if_nothing_were_learnt() -> None:
    """A page may be slower today."""
    arrivals = UsualArrivals()
    for _ in range(20):
        come(arrivals, 0.35)

    for age in (0.06, 0.2, 0.9, 2.5):
        assert come(arrivals, age) <= close_gap(age) + 1e-9


def test_a_few_outliers_change_nothing() -> None:
    """One human in six may be early, and one late."""
    arrivals = UsualArrivals()
    for age in (0.35, 0.35, 0.06, 0.35, 0.35, 2.5) * 4:
        come(arrivals, age)

    assert come(arrivals, 0.345) <= 0.0101


def test_it_follows_where_the_humans_go() -> None:
    """Yesterday's page is forgotten."""
    arrivals = UsualArrivals()
    for age in (0.35,) * 20 + (1.1,) * 20:
        come(arrivals, age)

    assert come(arrivals, 1.1) <= 0.0101
    assert 2 >= len([age for age in peeks(arrivals) if 0.3 < age < 0.4])


@given(st.lists(st.floats(min_value=0.06, max_value=2.9)))
def test_whoever_came_an_empty_room_costs_a_dozen_peeks_more_at_most(ages: list[float]) -> None:
    """Whoever joins at odd ages to widen the time gets what everybody gets."""
    arrivals = UsualArrivals()
    for age in ages:
        come(arrivals, age)

    assert len(peeks(arrivals)) <= len(peeks_of_all_ages()) + 13
