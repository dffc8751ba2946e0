from agent.arrivals import Arrivals


def test_of_two_jobs_at_once_only_the_first_sends_an_agent() -> None:
    """Two agents of one identity would throw each other out."""
    arrivals = Arrivals(clock=lambda: 7.0)

    first, again, elsewhere = (arrivals.claim(sid) for sid in ("RM_a", "RM_a", "RM_b"))

    assert (True, False, True) == (first, again, elsewhere)


def test_an_agent_can_be_replaced_a_moment_later() -> None:
    """An agent that was removed from its room comes back by a new dispatch."""
    times = iter((0.0, 0.9, 1.1))
    arrivals = Arrivals(clock=lambda: next(times))

    answers = [arrivals.claim("RM_a") for _ in range(3)]

    assert [True, False, True] == answers
