"""The doctor on LiveKit's regions."""

import pytest

from tests.unit.cli.test_doctor_arrival import dispatched, probe
from token_server.cli.doctor.arrival import Surroundings, check_agent
from token_server.cli.doctor.checks import Finding
from token_server.cli.doctor.probe_observation import ObservedAgent
from token_server.cli.doctor.regions import check_region


@pytest.mark.parametrize(
    ("ours", "agents", "workers", "finding"),
    [
        pytest.param("", "", "", None, id="none"),
        pytest.param("us", "", "", None, id="not-told"),
        pytest.param("us", "us", "", Finding.OK, id="same"),
        pytest.param("us", "us", "us", Finding.OK, id="all-same"),
        pytest.param("us", "eu", "", Finding.WRONG, id="agent-elsewhere"),
        pytest.param("us", "us", "eu", Finding.WRONG, id="worker-elsewhere"),
    ],
)
def test_regions_are_compared_where_they_are_known(
    ours: str, agents: str, workers: str, finding: Finding | None
) -> None:
    """Most local servers have none, and nothing to say about."""
    seen = probe()
    seen.region = ours
    agent = ObservedAgent(
        agent_name="voice-agent", seconds=1.5, region=agents, worker_region=workers
    )
    seen.note_agent("agent", agent)

    check = check_region(seen)

    assert finding == (check and check.finding)


def test_without_an_agent_there_is_nothing_to_compare_but_where_to_look() -> None:
    """A worker in another region may be passed over; its log has the region."""
    seen = probe()
    seen.region = "us"

    check = check_agent(dispatched(seen), Surroundings(worker=None, worker_port=8081))

    assert check_region(seen) is None
    assert "this human is in LiveKit's region us" in check.evidence[-1]
