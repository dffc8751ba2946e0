"""Which process an agent lives in, so that tests can harm it."""

import re

from tests.processes import Process


def job_pid(worker: Process, room_name: str) -> int:
    """Return the process of the agent that came to a room last, as the worker's log names it."""
    line = rf"in the room .*{room_name}.*\bpid=(\d+)|in the room .*\bpid=(\d+).*{room_name}"
    worker.wait_for_output(line, within=5)
    *_, last = re.finditer(line, worker.output())
    return int(last[1] or last[2])
