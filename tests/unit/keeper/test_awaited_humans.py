"""Each human is noticed once, by one process."""

from token_server.keeper.awaited_humans import AwaitedHumans


def test_a_human_comes_once_and_is_attended_once() -> None:
    """Their room is looked at again and again."""
    arrivals = AwaitedHumans()
    arrivals.expect("ticket")

    came = [arrivals.has_come("ticket") for _ in range(3)]
    attended = [arrivals.is_attended("ticket") for _ in range(3)]

    assert ([True, False, False], [True, False, False]) == (came, attended)


def test_a_human_with_another_process_token_is_its_to_notice() -> None:
    """Or two processes would count one human."""
    arrivals = AwaitedHumans()

    assert (False, False) == (arrivals.has_come("ticket"), arrivals.is_attended("ticket"))


def test_who_was_attended_does_not_come_again() -> None:
    """A client that reconnects with its token is no second human."""
    arrivals = AwaitedHumans()
    arrivals.expect("ticket")
    arrivals.has_come("ticket")
    arrivals.is_attended("ticket")

    assert not arrivals.has_come("ticket")


def test_tokens_that_nobody_uses_take_bounded_memory() -> None:
    """A page fetches one when it is opened."""
    arrivals = AwaitedHumans()

    for number in range(10_001):
        arrivals.expect(str(number))

    assert (False, True, True) == tuple(arrivals.has_come(str(n)) for n in (0, 1, 10_000))
