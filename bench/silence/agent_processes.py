"""In which process an agent lives, by its worker's log. No I/O."""

import re

_PID = re.compile(r"\bpid\W+(\d+)")


def agent_process(output: str, room_name: str) -> int | None:
    """Return the process of the agent that came to a room last; None: the worker sent none there.

    Workers of ours, of livekit-agents and of agents-js all log `in the room`, the room and the pid.
    """
    in_this_room = re.compile(rf"{re.escape(room_name)}\b")
    lines = [
        line
        for line in output.splitlines()
        if "in the room" in line and in_this_room.search(line) and _PID.search(line)
    ]
    found = _PID.search(lines[-1]) if lines else None
    return int(found[1]) if found else None
