"""Who in a room wants which agent. Pure, no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from token_server.livekit.port import AgentOrder, Participant, ParticipantKind
from token_server.tokens.room_patterns import matches_any
from token_server.tokens.tickets import TicketSealer


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the operator has decided about agents.

    Attributes:
        agent_names: The names that may be asked for; the first is the default.
        attend_rooms: Patterns (`*`, `?`, `[a-z]`) of rooms that are attended for any human.
    """

    agent_names: tuple[str, ...]
    attend_rooms: tuple[str, ...] = ()

    def attends_anybody(self, room_name: str) -> bool:
        """Whether humans without a ticket are attended in this room."""
        return matches_any(self.attend_rooms, room_name)


@dataclass(frozen=True, kw_only=True)
class Want:
    """One agent that is wanted in a room, since the first human who wants it joined."""

    order: AgentOrder
    since: datetime
    humans: tuple[Participant, ...] = field(default=(), compare=False)


def wants(
    room_name: str, participants: Iterable[Participant], sealer: TicketSealer, policy: Policy
) -> list[Want]:
    """Return one want per agent name, with the metadata of whoever asked first."""
    found: dict[str, Want] = {}
    for human in sorted(participants, key=lambda participant: participant.joined_at):
        if human.kind is not ParticipantKind.HUMAN:
            continue
        order = _order(room_name, human, sealer, policy)
        if order is not None:
            want = found.setdefault(order.agent_name, Want(order=order, since=human.joined_at))
            found[order.agent_name] = replace(want, humans=(*want.humans, human))
    return list(found.values())


def _order(
    room_name: str, human: Participant, sealer: TicketSealer, policy: Policy
) -> AgentOrder | None:
    if ticket := sealer.open(room_name, human):
        return ticket.order
    if policy.attends_anybody(room_name):
        return AgentOrder(agent_name=policy.agent_names[0])
    return None
