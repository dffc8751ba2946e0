"""What workers have told the token server: one that is full or silent needs no port of ours."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from token_server.cli.asking import bearer
from token_server.cli.doctor.checks import Check, Trouble
from token_server.cli.doctor.server import Server
from token_server.cli.doctor.steps import Beside, Start
from token_server.telemetry.printable import printable

_SILENT, _FULL = "silent", "full"
_LONGEST_LIST = 5
_CONNECTED_WITHIN = 0.5


@dataclass(frozen=True, kw_only=True)
class ToldWorker:
    """A worker in `GET /workers`; docs/metrics.md says what its states mean.

    `is_gone`: it is silent, and on this machine nobody listens on its port: its process has ended.
    """

    agent_name: str
    host: str
    state: str
    calls: int
    max_calls: int
    seconds_since_heard: float
    is_gone: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether it was not heard lately."""
        return self.state == _SILENT

    @property
    def in_words(self) -> str:
        """All of it in a line."""
        name = f"`{printable(self.agent_name)}`" if self.agent_name else "no name"
        return (
            f"a worker on {printable(self.host)} has told: name {name}, {self.state},"
            f" {self.calls} of {self.max_calls} calls, heard {self.seconds_since_heard:.0f} s ago"
        )


def ask_told_workers(server: Server, host: str, port: int) -> tuple[ToldWorker, ...]:
    """Ask the token server which workers there are; none where it does not tell us.

    A silent one on this machine is asked where it listens (LIVEKIT_AGENT_HOST, LIVEKIT_AGENT_PORT)
    whether it runs.
    """
    answer = server.ask("GET", "/workers", bearer(server.operator_key))
    told = tuple(map(_told, answer.content.get("workers", ()))) if answer.is_ok else ()
    return tuple(replace(worker, is_gone=_has_ended(worker, host, port)) for worker in told)


def _told(row: dict[str, Any]) -> ToldWorker:
    return ToldWorker(**{name: row[name] for name in ToldWorker.__annotations__ if name in row})


def _has_ended(worker: ToldWorker, host: str, port: int) -> bool:
    """Whether nobody takes a connection; a frozen process does, and answers nothing."""
    if not worker.is_silent or worker.host != socket.gethostname():
        return False
    try:
        socket.create_connection((host, port), _CONNECTED_WITHIN).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def lines(told: Sequence[ToldWorker]) -> list[str]:
    """Return what they have told, as evidence."""
    return [worker.in_words for worker in told[:_LONGEST_LIST]]


WORKER_FULL = Trouble(
    "worker-full",
    "Start another worker beside it, here or on another machine: LiveKit offers it the next job. Or"
    " raise LIVEKIT_AGENT_MAX_JOBS (this project's worker) or `load_threshold` (others).",
    (Beside(),),
)


def why_not_taken(agent_name: str, told: Sequence[ToldWorker], *evidence: str) -> Check | None:
    """Say why no worker of that name has taken a job, if what they told explains it. Pure."""
    named = [worker for worker in told if worker.agent_name == agent_name]
    living = [worker for worker in named if not worker.is_silent]
    if living and all(worker.state == _FULL for worker in living):
        return WORKER_FULL.wrong(
            "agent",
            "Every worker of the name has as many calls as it takes: LiveKit offers it no more.",
            *evidence,
        )
    if len(living) == len(named):
        return None
    if all(worker.is_gone for worker in named):
        return Trouble(
            "worker-dead",
            "Start it again; if it is started otherwise than the line here says, start it so. The"
            " end of its log, or of what started it, says why it ended.",
            (Start.WORKER,),
        ).wrong(
            "agent",
            "The worker on this machine was there, and its process has ended: nobody listens on its"
            " port.",
            *evidence,
        )
    return Trouble(
        "worker-silent",
        "Start that worker again, on the host that the evidence names: one that is frozen or cut"
        " off may still be offered jobs, which then nobody takes. If its log looks well, set"
        " TOKEN_SERVER_URL for it.",
        (Start.WORKER,),
    ).wrong(
        "agent",
        "A worker of the name has not been heard for 6 s or more: it is frozen, cut off or dead.",
        *evidence,
    )
