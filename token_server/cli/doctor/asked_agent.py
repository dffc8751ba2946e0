"""The agent of --agent: how a token for it is asked for, and who does not give one. No I/O."""

from difflib import get_close_matches
from http import HTTPStatus

from token_server.cli.asking import HttpResult
from token_server.cli.doctor.checks import Check, Trouble
from token_server.cli.doctor.steps import Again, Setting, Start
from token_server.keeper.absence_reasons import name_of
from token_server.settings import Settings


def fields_of(agent_name: str) -> dict[str, object]:
    """Return what a request for a token has for this agent; nothing for the server's own."""
    return {"room_config": {"agents": [{"agent_name": agent_name}]}} if agent_name else {}


def check_allowed(answer: HttpResult, agent_name: str, settings: Settings | None) -> Check | None:
    """Say that callers may not ask for this agent; None if that is not what the server says.

    Args:
        answer: The token server's.
        agent_name: As it was asked for; "" where it was left to the server.
        settings: Ours; None where there are none.
    """
    said = str(answer.content.get("msg", ""))
    if answer.status != HTTPStatus.FORBIDDEN or not agent_name or "agent_name" not in said:
        return None
    evidence = [f"HTTP {answer.status}", f"it says: {said}"]
    if settings:
        names = ", ".join(map(name_of, settings.allowed_agent_names))
        evidence.append(f"with the settings of here callers may ask for {names}")
    says = f"The token server does not let callers ask for the agent {name_of(agent_name)}."
    return _trouble(agent_name, settings).wrong("token", says, *evidence)


def _trouble(agent_name: str, settings: Settings | None) -> Trouble:
    allowed = settings.allowed_agent_names if settings else ()
    add = f"dd {agent_name} to AGENT_NAMES on the token server, and start it again."
    if allowed == ("",):
        return Trouble(
            "server-refuses",
            "With AGENT_DISPATCH=automatic nobody asks for a name. Unset it on the token server,"
            f" set LIVEKIT_AGENT_NAME={agent_name}, and start it again.",
            (
                Setting("AGENT_DISPATCH", ""),
                Setting("LIVEKIT_AGENT_NAME", agent_name),
                Start.WEB,
            ),
        )
    if near := get_close_matches(agent_name, set(allowed) - {agent_name}, 1):
        cure = f"If {name_of(near[0])} is meant, run this for it. Else a{add}"
        return Trouble("server-refuses", cure, (Again(agent=near[0]),))
    names = dict.fromkeys((*(settings.agent_names if settings else ()), agent_name))
    return Trouble(
        "server-refuses", f"A{add}", (Setting("AGENT_NAMES", ",".join(names)), Start.WEB)
    )
