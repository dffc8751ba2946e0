from agent.rooms_on_the_way import RoomsOnTheWay


def test_of_two_jobs_at_once_only_the_first_sends_an_agent() -> None:
    """The room has no agent yet when each of them looks."""
    rooms_on_the_way = RoomsOnTheWay(clock=lambda: 7.0)

    first, again, elsewhere = (rooms_on_the_way.claim(sid) for sid in ("RM_a", "RM_a", "RM_b"))

    assert (True, False, True) == (first, again, elsewhere)


def test_an_agent_can_be_replaced_a_moment_later() -> None:
    """An agent that was removed from its room comes back by a new dispatch."""
    times = iter((0.0, 0.9, 1.1))
    rooms_on_the_way = RoomsOnTheWay(clock=lambda: next(times))

    answers = [rooms_on_the_way.claim("RM_a") for _ in range(3)]

    assert [True, False, True] == answers


def test_an_agent_whose_job_is_over_can_be_replaced_at_once() -> None:
    """Its process died within a second of the acceptance; to release twice does no harm."""
    rooms_on_the_way = RoomsOnTheWay(clock=lambda: 7.0)
    rooms_on_the_way.claim("RM_a")

    for _ in range(2):
        rooms_on_the_way.release("RM_a")

    assert rooms_on_the_way.claim("RM_a")
