"""What goes wrong, in words; each is a row of the table. No I/O."""

from enum import Enum


class Fault(Enum):
    """What is done in a call, to whom."""

    AGENT_KILLED = "agent's process killed"
    WORKER_KILLED = "worker killed whole, another at hand"
    AGENT_FROZEN = "agent's process frozen"
    WORKER_FROZEN = "worker frozen whole, another at hand"
    LOOP_BLOCKED = "agent's event loop blocked"
    TEN_KILLED = "ten calls on one worker, killed whole, another at hand"
    TEN_FROZEN = "ten calls on one worker, frozen whole, another at hand"
    THAWED_10 = "agent's process frozen, thawed after 10 s"
    THAWED_30 = "agent's process frozen, thawed after 30 s"
    HALF_FROZEN = "one of two workers frozen, still registered: 20 joins"

    @property
    def frozen_for(self) -> float | None:
        """Seconds after which the frozen agent thaws; None: it does not."""
        return {Fault.THAWED_10: 10.0, Fault.THAWED_30: 30.0}.get(self)


TO_AN_AGENT = (
    Fault.THAWED_30,  # those that take longest begin first
    Fault.THAWED_10,
    Fault.LOOP_BLOCKED,
    Fault.AGENT_KILLED,
    Fault.AGENT_FROZEN,
)
