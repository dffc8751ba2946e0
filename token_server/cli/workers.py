"""`token-server workers`: which workers have told the token server where they are."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from token_server.cli.colours import GREEN, RED, YELLOW, are_wanted, paint
from token_server.cli.room_report import named_agent
from token_server.cli.running_server import fetch_workers
from token_server.telemetry.printable import printable_content

Worker = Mapping[str, Any]

_COLOURS = {"silent": RED, "unregistered": RED, "full": YELLOW, "draining": YELLOW}
_HAS_ROOM = {"idle", "busy"}
_NOBODY = (
    "no worker of ours has told where it is; foreign workers that tell nothing are unknown, never"
    " absent"
)
_MEANINGS = {
    "silent": "silent: not heard for 6 s: frozen, dead or cut off; LiveKit may still offer it jobs",
    "unregistered": "unregistered: it runs, and has no connection to LiveKit: its log says why",
}
_MINUTE, _HOUR = 60, 3600


def show_workers(environ: Mapping[str, str], out: TextIO, *, as_json: bool) -> int:
    """Print the workers.

    Returns:
        2 if none has told; else 1 if one is silent, unregistered or of a name that the server does
        not ask for, or if a name has no worker with room; else 0.
    """
    found = fetch_workers(environ)
    workers, agent_names = found["workers"], found["agent_names"]
    if as_json:
        out.write(f"{json.dumps(found, indent=2)}\n")
    else:
        lines = report(workers, agent_names, has_colours=are_wanted(out, environ))
        out.writelines(f"{line}\n" for line in lines)
    return exit_code(workers, agent_names)


def exit_code(workers: Sequence[Worker], agent_names: Sequence[str]) -> int:
    """Return what the command ends with; see `show_workers`."""
    if not workers:
        return 2
    names = {worker["agent_name"] for worker in workers}
    with_room = {each["agent_name"] for each in workers if each["state"] in _HAS_ROOM}
    is_wrong = any(worker["state"] in _MEANINGS for worker in workers)
    return int(is_wrong or bool(names - set(agent_names)) or names != with_room)


def report(
    workers: Sequence[Worker], agent_names: Sequence[str], *, has_colours: bool
) -> list[str]:
    """Return a line for each worker, in the order given, and what is to be said of them. Pure."""
    if not workers:
        return [_NOBODY]
    shown = [printable_content(worker) for worker in workers]
    cells = [_cells(worker) for worker in shown]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_line(each, widths, has_colours=has_colours) for each in cells]
    states = {worker["state"] for worker in shown}
    notes = [meaning for state, meaning in _MEANINGS.items() if state in states]
    notes += _misnamed(shown, printable_content(list(agent_names)))
    return [*lines, "", *notes] if notes else lines


def _cells(worker: Worker) -> tuple[str, ...]:
    registered = worker["seconds_registered"]
    since = "not registered" if registered is None else f"registered {_age(registered)} ago"
    return (
        worker["state"],
        worker["agent_name"] or "(no name)",
        worker["host"],
        f"{worker['calls']} of {worker['max_calls']} calls",
        since,
        f"heard {_age(worker['seconds_since_heard'])} ago",
    )


def _line(cells: Sequence[str], widths: Sequence[int], *, has_colours: bool) -> str:
    state, *rest = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    painted = paint(state, _COLOURS.get(cells[0], GREEN), has_colours=has_colours)
    return "  ".join((painted, *rest)).rstrip()


def _misnamed(workers: Sequence[Worker], agent_names: Sequence[str]) -> list[str]:
    others = sorted({worker["agent_name"] for worker in workers} - set(agent_names))
    asked = ", ".join(map(named_agent, agent_names))
    return [
        f"{named_agent(name)}: this token server does not ask for it, only for {asked}: set"
        " LIVEKIT_AGENT_NAME to the same for both, or add it to AGENT_NAMES"
        for name in others
    ]


def _age(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h"
