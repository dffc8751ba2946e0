"""`token-server release`: a person takes a call over from its agent."""

from collections.abc import Mapping
from typing import Any, TextIO

from token_server.cli.room_report import named_agent
from token_server.cli.running_server import release_room
from token_server.telemetry.printable import printable_content


def release(
    environ: Mapping[str, str], room_name: str, request: Mapping[str, str], out: TextIO
) -> int:
    """Release humans of a room, and print who was.

    Args:
        environ: Where the server is, and an operator's key.
        room_name: The room.
        request: `agent_name`, `participant_identity`: only these.
        out: Where to print.

    Returns:
        0 if somebody is released, 1 if there is nobody to release.
    """
    answer = release_room(environ, room_name, request)
    out.writelines(f"{line}\n" for line in report(answer))
    return int(not answer["released"])


def report(answer: Mapping[str, Any]) -> list[str]:
    """Return a line for each human, and what became of their agents. Pure."""
    shown = printable_content(answer)
    if not shown["released"]:
        return [f"{shown['room_name']}: nobody here wants such an agent, so nobody was released"]
    humans = [
        f"{human['participant_identity']}: released from {named_agent(human['agent_name'])}"
        for human in shown["released"]
    ]
    deleted, removed = shown["dispatches_deleted"], shown["agents_removed"]
    done = [_counted(deleted, "dispatch", "dispatches", "taken back")]
    done += [_counted(removed, "agent", "agents", "put out")] if removed else []
    return [*humans, ", ".join(done)]


def _counted(number: int, one: str, many: str, done: str) -> str:
    return f"{number} {one if number == 1 else many} {done}"
