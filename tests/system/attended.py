"""Several rooms at once: is one agent in each, at the same moment?"""

from collections.abc import Sequence

from tests.system.deployment import Deployment


def wait_for_one_agent_each(running: Deployment, rooms: Sequence[str], within: float) -> None:
    """Wait until exactly one agent is in each room; the humans see whether it stays."""

    def counts() -> list[int]:
        return [len(running.agents(room)) for room in rooms]

    each = [1] * len(rooms)
    running.wait(lambda: counts() == each, within, f"one agent each in {rooms}")
