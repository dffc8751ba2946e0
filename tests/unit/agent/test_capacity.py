from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.agent import Job

from agent.capacity import Capacity

TARGET_LOAD = 0.7  # of livekit-server: it offers nothing to workers at or above it


def capacity(max_jobs: int, running: int) -> Capacity:
    """Return the capacity of a worker that runs so many jobs."""
    return Capacity(max_jobs, lambda: [Job(id=f"AJ_{number}") for number in range(running)])


def test_an_idle_worker_reports_no_load() -> None:
    """Whatever the CPU does, an idle worker is the first to be asked."""
    assert (0.0, False) == (capacity(3, 0).load(), capacity(3, 0).is_full)


def test_a_worker_is_full_at_its_last_job_exactly() -> None:
    """One job too few wastes a machine, one too many spoils every call on it."""
    assert [False, False, True, True] == [capacity(3, jobs).is_full for jobs in (0, 2, 3, 4)]


@given(st.integers(1, 1000), st.integers(0, 2000))
def test_any_worker_stays_below_the_load_at_which_livekit_stops_asking(
    max_jobs: int, running: int
) -> None:
    """LiveKit learns of a freed place seconds late; only who is asked can say that it has one."""
    load = capacity(max_jobs, running).load()

    assert 0 <= load < TARGET_LOAD


@given(st.integers(1, 1000), st.integers(0, 999))
def test_any_worker_with_a_place_reports_less_than_a_full_one(max_jobs: int, running: int) -> None:
    """LiveKit asks the less loaded worker more often."""
    less = capacity(max_jobs, min(running, max_jobs - 1)).load()

    assert less < capacity(max_jobs, max_jobs).load()


def test_a_job_takes_its_place_when_it_is_accepted() -> None:
    """A burst of requests arrives before the first of their jobs has a process."""
    worker = capacity(2, 0)

    with worker.place_for(Job(id="AJ_a")), worker.place_for(Job(id="AJ_b")):
        during = worker.is_full

    assert (True, False) == (during, worker.is_full)


def test_a_job_that_passes_into_its_process_counts_once() -> None:
    """Counted twice, it would make a worker with a free place say no."""
    worker = capacity(2, 1)

    with worker.place_for(Job(id="AJ_0")):
        taken = worker.taken

    assert taken == 1
