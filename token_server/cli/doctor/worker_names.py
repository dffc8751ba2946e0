"""A worker with another name than the one that is asked for: which of both changes. No I/O."""

import shlex
from collections.abc import Iterable
from dataclasses import replace
from difflib import SequenceMatcher

from token_server.cli.doctor.checks import Check, Trouble
from token_server.cli.doctor.steps import Beside, OwnWorker, Setting, Start, Step
from token_server.keeper.absence_reasons import name_of

EXPORT = 'eval "$(token-server dev --export)"'
_AUTOMATIC = "AGENT_DISPATCH=automatic"


def misnamed(agent_name: str, names: Iterable[str], known_names: Iterable[str]) -> str | None:
    """Return which of these names may be a mistake for the wanted one.

    A worker that has another name that is asked for is not meant.
    """
    strangers = sorted(set(names) - {*known_names, agent_name})
    return max(strangers, key=lambda name: _likeness(name, agent_name), default=None)


def _likeness(name: str, agent_name: str) -> float:
    return SequenceMatcher(None, name, agent_name).ratio()


def named(agent_name: str) -> tuple[Step, ...]:
    """Return how a worker is started under a name; "" is one without a name."""
    setting = Setting("LIVEKIT_AGENT_NAME", agent_name)
    return (setting if agent_name else Setting("AGENT_DISPATCH", "automatic"), Start.WORKER)


def cure_of_start(*, has_worker_line: bool) -> str:
    """Say that it starts, and where to look if it runs.

    Args:
        has_worker_line: Whether the line that is typed is a Procfile's.
    """
    line = "is the Procfile's `worker:`" if has_worker_line else "starts this project's own agent"
    return (
        "Start the worker: with the settings of here it registers at this LiveKit, under the name"
        f" that is asked for. The line {line}; if your worker is started otherwise, start that one."
        " If it runs on another machine, compare LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET"
        " and LIVEKIT_AGENT_NAME there."
    )


def beside_make_dev(agent_name: str) -> Trouble:
    """Return how a worker is started there: `make dev` has the settings, and nobody else."""
    return Trouble(
        "no-worker",
        "Start the worker beside `make dev`, in its folder, with the settings that it has made up."
        " The last line starts this project's own agent; if your worker is started otherwise, start"
        " that one. Or stop `make dev` and see that its Procfile has a line `worker:`.",
        lines_beside_make_dev(agent_name),
    )


def lines_beside_make_dev(agent_name: str) -> tuple[str, ...]:
    """Return the lines of that: where LiveKit is, and a worker with a name, or "" for none."""
    setting = f"LIVEKIT_AGENT_NAME={shlex.quote(agent_name)}" if agent_name else _AUTOMATIC
    return EXPORT, f"{setting} python -m agent start"


def asking_for(registered: str, *, is_automatic: bool) -> tuple[Step, ...]:
    """Return how the token server is started so that it asks for another name.

    Args:
        registered: That name.
        is_automatic: Whether it asks for none now.
    """
    unset = (Setting("AGENT_DISPATCH", ""),) if is_automatic else ()
    return (*unset, Setting("LIVEKIT_AGENT_NAME", registered), Start.WEB)


def cure_of_worker(wanted: str, registered: str) -> str:
    """Say that the worker changes, as the lines have it, and the other way.

    Args:
        wanted: The name that is asked for; "" is none.
        registered: The one that the worker has.
    """
    setting = f"LIVEKIT_AGENT_NAME={wanted}" if wanted else _AUTOMATIC
    return (
        f"The worker is started again with {setting}: its name is then what is asked for. Or set"
        f" LIVEKIT_AGENT_NAME={registered}{_instead(wanted)} for the token server, and start that"
        " one again."
    )


def cure_of_server(wanted: str, registered: str) -> str:
    """Say the same where the token server changes: this worker's name is not ours to set."""
    other = f"Or give the worker the name {name_of(wanted)}" if wanted else "Or take it away"
    return (
        f"The token server is started again with LIVEKIT_AGENT_NAME={registered}{_instead(wanted)}:"
        f" it asks for the worker's name then. {other} where its name stands, in its code or its"
        " command, and start the worker again."
    )


def of_own_worker(check: Check, agent_name: str, port: int) -> Check:
    """Let what is typed start the worker of this agent, and not the token server's own one.

    Args:
        check: What was found of the agent.
        agent_name: Its name.
        port: Where its worker is asked.
    """
    steps = tuple(
        _own(step, agent_name, port) for step in check.steps if not _names_the_usual(step)
    )
    return replace(check, steps=steps)


def _own(step: Step, agent_name: str, port: int) -> Step:
    if step is Start.WORKER:
        return OwnWorker(agent_name, port)
    return OwnWorker(agent_name) if isinstance(step, Beside) else step


def _names_the_usual(step: Step) -> bool:
    return isinstance(step, Setting) and step.name in {"LIVEKIT_AGENT_NAME", "AGENT_DISPATCH"}


def _instead(wanted: str) -> str:
    return "" if wanted else f" and without {_AUTOMATIC}"
