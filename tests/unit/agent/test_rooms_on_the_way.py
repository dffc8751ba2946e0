from agent.rooms_on_the_way import RoomsOnTheWay


def test_of_two_jobs_at_once_the_first_is_known() -> None:
    """The room has no agent yet when each of them looks."""
    rooms_on_the_way = RoomsOnTheWay(clock=lambda: 7.0)

    rooms_on_the_way.claim("RM_a", "AD_first")

    assert ("AD_first", None) == (rooms_on_the_way.first("RM_a"), rooms_on_the_way.first("RM_b"))


def test_an_agent_can_be_replaced_a_moment_later() -> None:
    """An agent that was removed from its room comes back by a new dispatch."""
    times = iter((0.0, 0.9, 1.1))
    rooms_on_the_way = RoomsOnTheWay(clock=lambda: next(times))

    rooms_on_the_way.claim("RM_a", "AD_first")

    assert ["AD_first", None] == [rooms_on_the_way.first("RM_a") for _ in range(2)]


def test_an_agent_whose_job_is_over_can_be_replaced_at_once() -> None:
    """Its process died within a second of the acceptance; to release twice does no harm."""
    rooms_on_the_way = RoomsOnTheWay(clock=lambda: 7.0)
    rooms_on_the_way.claim("RM_a", "AD_first")

    for _ in range(2):
        rooms_on_the_way.release("RM_a")

    assert rooms_on_the_way.first("RM_a") is None
