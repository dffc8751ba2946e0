"""Is there a live room in which one agent after the other fails? LiveKit's list tells."""

import time
from collections.abc import Iterator

from token_server.cli.doctor.checks import Check, Trouble
from token_server.cli.doctor.steps import Start
from token_server.errors import TokenServerError
from token_server.keeper import absence_reasons
from token_server.keeper.failures import failures_of
from token_server.livekit.port import LiveKit

# How many rooms, the youngest first, and for how long (seconds): a probe is still to come.
_MOST_ROOMS = 20
_LOOK_FOR = 1.5


def examine_failing_agents(livekit: LiveKit) -> Check | None:
    """Name a room where agents fail; None if none is seen, or LiveKit does not tell."""
    try:
        found = next(_failing(livekit), None)
    except TokenServerError:
        return None
    if found is None:
        return None
    room_name, evidence = found
    absence = absence_reasons.agent_failing(room_name)
    return Trouble(absence.cause, absence.cure, (Start.WORKER,)).wrong(
        "live rooms", absence.says, evidence
    )


def _failing(livekit: LiveKit) -> Iterator[tuple[str, str]]:
    ends_at = time.monotonic() + _LOOK_FOR
    youngest = sorted(livekit.list_rooms(), key=lambda room: room.created_at, reverse=True)
    for room in youngest[:_MOST_ROOMS]:
        if time.monotonic() > ends_at:
            return
        for human in livekit.list_participants(room.room_name):
            failures = failures_of(human.attributes, livekit.now())
            if failures.are_a_loop:
                yield room.room_name, f"{room.room_name}: {failures.in_a_row} in a row"
