"""Is the agent in the room, and does it answer? What its answers to the doctor add up to. No I/O.

The doctor sees an agent for seconds only, so it does not need an earlier answer, as the keeper does
(keeper/agent_life.py). A method that nobody has registered is refused by the transport at once: so
who is silent when its event loop is asked, and not when its transport is, has a loop that stands.
"""

from dataclasses import dataclass
from enum import Enum

from shared_settings.agent_signs import ALIVE_METHOD
from token_server.cli.doctor.checks import Check, Trouble
from token_server.cli.doctor.steps import Start
from token_server.keeper.agent_life import TRANSPORT_METHOD
from token_server.livekit.port import RpcOutcome

# Seconds. Tools and loads of models block an event loop for one or two; the keeper waits 5.
_BLOCKED_FOR = 3.0
_SAYS_NOTHING = {RpcOutcome.NO_CHANNEL, RpcOutcome.UNANSWERED, RpcOutcome.UNKNOWN}


class Hang(Enum):
    """How an agent does not answer; the value is the evidence."""

    FROZEN = "neither its event loop nor its transport answers LiveKit's RPC"
    BLOCKED = "its transport answers LiveKit's RPC, and its event loop does not"


_CURES = {
    Hang.FROZEN: "Look at the agent's process on the worker's host (`ps`: T is stopped, D waits for"
    " a disk) and at that host's memory and network; then start the worker again, and with it the"
    " agent.",
    Hang.BLOCKED: "Find the call in the agent's code that blocks its event loop. On the worker's"
    " host: `pip install py-spy` (in a checkout `uv pip install py-spy`), then `py-spy dump"
    " --subprocesses --pid PID` with the worker's own PID (`ps`), and `sudo` where that is refused:"
    " the job's process is the one that stands in the agent's code. Await that call, or move it to"
    " `asyncio.to_thread`; then start the worker again.",
}


@dataclass(kw_only=True)
class SignsOfLife:
    """What the wanted agent has answered; times are seconds of one clock.

    Attributes:
        silent_since: When its event loop was first asked in vain; None while it answers.
        hang: How it hangs, once that is sure.
    """

    silent_since: float | None = None
    hang: Hang | None = None
    _asks_transport: bool = False
    _has_transport: bool = False

    @property
    def method(self) -> str:
        """What to ask next: after each silence of the event loop its transport."""
        return TRANSPORT_METHOD if self._asks_transport else ALIVE_METHOD

    @property
    def is_in_doubt(self) -> bool:
        """Whether it was silent, and it is not sure yet what that means."""
        return self.silent_since is not None and self.hang is None

    def note(self, method: str, outcome: RpcOutcome, asked_at: float, now: float) -> None:
        """Take in an answer, or its absence; what is not known changes nothing."""
        if outcome in _SAYS_NOTHING:
            return
        is_silent = outcome is RpcOutcome.SILENT
        if method == TRANSPORT_METHOD:
            self._asks_transport = False
            self._has_transport = outcome is RpcOutcome.UNSUPPORTED
            self.hang = Hang.FROZEN if is_silent else None
        elif not is_silent:
            self.silent_since, self._has_transport = None, False
        else:
            self.silent_since = asked_at if self.silent_since is None else self.silent_since
            self._asks_transport = True
            if self._has_transport and now - self.silent_since >= _BLOCKED_FOR:
                self.hang = Hang.BLOCKED


def agent_hung(agent: str, hang: Hang) -> Check:
    """Say that the agent is in the room and hangs.

    Args:
        agent: It, at the beginning of a sentence.
        hang: How.
    """
    says = f"{agent} is in the room, and does not answer."
    return Trouble("agent-hung", _CURES[hang], (Start.WORKER,)).wrong("agent", says, hang.value)
