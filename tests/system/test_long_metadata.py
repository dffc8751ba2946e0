"""What the token has in its sealed ticket alone reaches the agent's job, whoever sends it."""

import pytest

from tests.long_metadata import LONG_METADATA
from tests.processes import wait_until
from tests.system.deployment import SOON, Deployment

pytestmark = pytest.mark.live
ROOM_CONFIG = {"agents": [{"metadata": LONG_METADATA}]}


def jobs_told(deployment: Deployment, room_name: str) -> int:
    """Return how many agents have come into the room and were told all of it."""
    size = len(LONG_METADATA.encode())
    return deployment.count("worker.log", "in the room", room_name, f"metadata_bytes={size}")


def test_long_metadata_reaches_the_job_at_first_and_when_it_is_replaced(
    deployment: Deployment, room_name: str
) -> None:
    """An agent that was told nothing would greet a caller as a stranger."""
    deployment.join(room_name, room_config=ROOM_CONFIG)
    deployment.wait_for_one_agent(room_name)
    first = deployment.agent(room_name)
    wait_until(lambda: jobs_told(deployment, room_name) >= 1, within=SOON, what="it was told")

    deployment.rooms.remove_participant(room_name, first.participant_identity)

    deployment.wait_for_other_agent(room_name, first)
    wait_until(lambda: jobs_told(deployment, room_name) >= 2, within=SOON, what="both were told")


def test_long_metadata_reaches_the_job_of_a_room_that_the_join_makes(
    deployment: Deployment, room_name: str
) -> None:
    """The token's room has ended; LiveKit alone would send somebody who was told nothing."""
    token = deployment.token(room_name, room_config=ROOM_CONFIG)
    deployment.end_room(room_name)

    deployment.enter(token)

    deployment.wait_for_one_agent(room_name)
    wait_until(lambda: jobs_told(deployment, room_name) >= 1, within=SOON, what="it was told")
