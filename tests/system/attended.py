"""Several rooms at once: is one agent in each, at the same moment?"""

from collections.abc import Sequence

from tests.processes import wait_until
from tests.system.deployment import Deployment


def wait_for_one_agent_each(running: Deployment, rooms: Sequence[str], within: float) -> None:
    """Wait until exactly one agent is in each room; the humans see whether it stays."""

    def counts() -> list[int]:
        return [len(running.agents(room)) for room in rooms]

    each = [1] * len(rooms)
    try:
        wait_until(lambda: counts() == each, within=within, what=f"one agent each in {rooms}")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{running.logs()}") from None
