"""Why the wanted agent is not in its room, and what to type next: the words. No I/O.

The doctor (doctor/arrival.py) and the rooms' own page (room_advice.py) say the same.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Absence:
    """One way for an agent not to be there.

    Attributes:
        cause: Its name, as docs/doctor.md has it; never changes.
        says: What is wrong, in a sentence.
        cure: What to type or read next.
    """

    cause: str
    says: str
    cure: str


def livekit_failing() -> Absence:
    """LiveKit does not say what is in the room."""
    return Absence(
        cause="livekit-failing",
        says="No agent came, and LiveKit does not tell why.",
        cure="Run this again.",
    )


def not_dispatched(agent_name: str) -> Absence:
    """Nobody sent for it."""
    return Absence(
        cause="not-dispatched",
        says=f"The token server did not send for {name_of(agent_name)}.",
        cure="Read the token server's log for this room (`CreateDispatch`, `Rooms cannot be looked"
        " at`), and start it again.",
    )


def no_worker(agent_name: str) -> Absence:
    """It was sent for, and nobody took the job."""
    name = f"LIVEKIT_AGENT_NAME={agent_name}"
    setting = name if agent_name else "AGENT_DISPATCH=automatic"
    return Absence(
        cause="no-worker",
        says=f"At this LiveKit no free worker is registered as {name_of(agent_name)}.",
        cure=f"Start the worker: `{setting} python -m agent start` with the token server's"
        " LIVEKIT_URL, key and secret. If it runs on another machine, compare all four there.",
    )


def other_name(agent_name: str, other: str) -> Absence:
    """A worker has another name than the one that is asked for, or none."""
    if not other:
        return Absence(
            cause="worker-without-name",
            says="The worker has no name: LiveKit sends it to every new room (automatic dispatch),"
            f" and never where {name_of(agent_name)} is asked for.",
            cure=f"Set LIVEKIT_AGENT_NAME={agent_name} for the worker (and not"
            " AGENT_DISPATCH=automatic), and start it again; or set AGENT_DISPATCH=automatic for"
            " both processes.",
        )
    cure = f"Set LIVEKIT_AGENT_NAME={agent_name} for the worker, or ={other} for the token"
    if not agent_name:
        cure = (
            f"Set AGENT_DISPATCH=automatic for the worker too, or unset it and set {other} for it"
        )
    return Absence(
        cause="worker-other-name",
        says=f"The worker is registered as `{other}`, and {name_of(agent_name)} is asked for.",
        cure=f"{cure} server, and start that one again.",
    )


def of_further_agent(absence: Absence, agent_name: str) -> Absence:
    """Say it of an agent of AGENT_NAMES or AGENT_RULES: `python -m agent` is not its worker."""
    if absence.cause == "no-worker":
        return replace(
            absence,
            cure=f"Start the worker of {name_of(agent_name)} with the token server's LIVEKIT_URL,"
            " key and secret; its log must then say `registered worker`, with this name. If it runs"
            " on another machine, compare all four there.",
        )
    return replace(
        absence,
        cure=f"Give the worker the name {name_of(agent_name)} and start it again: in its code, if"
        " that names it (`agent_name=`), else with LIVEKIT_AGENT_NAME.",
    )


def job_died(room_name: str) -> Absence:
    """A worker took the job, and its agent did not live to join."""
    return Absence(
        cause="job-died",
        says="A worker takes the job, and it dies before its agent joins.",
        cure=f"{_worker_log(room_name)}: the exception that ended the job is there.",
    )


def agent_failing(room_name: str) -> Absence:
    """One agent after the other fails; the next ones come at growing intervals."""
    return Absence(
        cause="agent-failing",
        says="One agent after the other goes soon after it came, or its job is refused or raises.",
        cure=f"{_worker_log(room_name)}: the exception, or what ends the call, is there. An agent"
        " that is done with somebody says so: docs/agents.md, how a call ends.",
    )


def job_slow(room_name: str, waited: float) -> Absence:
    """A worker took the job, and no agent came of it in so many seconds."""
    return Absence(
        cause="job-slow",
        says=f"A worker took the job, and its agent did not join within {waited:.0f} s.",
        cure=f"{_worker_log(room_name)}: an exception, or work that should wait until"
        " `ctx.connect()` is done. A worker that has just started, or a machine without a free"
        " core, takes longer the first time.",
    )


def name_of(agent_name: str) -> str:
    """Show an agent's name."""
    return f"`{agent_name}`" if agent_name else "an agent without a name"


def _worker_log(room_name: str) -> str:
    return f"Read the lines of the worker's log that name the room (`{room_name}`)"
