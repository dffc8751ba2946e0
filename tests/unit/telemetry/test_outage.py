"""The log names a trouble once, however often it is met."""

from concurrent.futures import ThreadPoolExecutor

from token_server.telemetry.outage import Outage


def test_a_trouble_is_told_when_it_begins_and_when_it_ends() -> None:
    """A line for each failure would bury everything else."""
    outage = Outage()

    told = [outage.begins(), outage.begins(), outage.ends(), outage.ends(), outage.begins()]

    assert [True, False, True, False, True] == told


def test_a_success_without_a_trouble_is_no_news() -> None:
    """Nobody was told that anything is wrong."""
    outage = Outage()

    assert (False, False) == (outage.ends(), outage.is_there)


def test_of_many_threads_that_meet_a_trouble_one_tells() -> None:
    """All requests of a process fail at the same moment."""
    outage = Outage()
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda _: outage.begins(), range(1000)))

    assert (1, True) == (told.count(True), outage.is_there)
