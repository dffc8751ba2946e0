"""Is there a live room in which one agent after the other fails? Its humans' attributes tell."""

from collections.abc import Iterator
from datetime import datetime

from token_server.cli.doctor.checks import Check, Trouble
from token_server.cli.doctor.peopled_rooms import PeopledRooms
from token_server.cli.doctor.steps import Start
from token_server.keeper import absence_reasons
from token_server.keeper.failures import failures_of


def examine_failing_agents(rooms: PeopledRooms, now: datetime) -> Check | None:
    """Name a room where agents fail; None if none is seen.

    Args:
        rooms: Those that were looked into.
        now: LiveKit's clock.
    """
    found = next(_failing(rooms, now), None)
    if found is None:
        return None
    room_name, evidence = found
    absence = absence_reasons.agent_failing(room_name)
    return Trouble(absence.cause, absence.cure, (Start.WORKER,)).wrong(
        "live rooms", absence.says, evidence
    )


def _failing(rooms: PeopledRooms, now: datetime) -> Iterator[tuple[str, str]]:
    for room_name, participants in rooms:
        for human in participants:
            failures = failures_of(human.attributes, now)
            if failures.are_a_loop:
                yield room_name, f"{room_name}: {failures.in_a_row} in a row"
