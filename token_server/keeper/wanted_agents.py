"""Who in a room wants which agent. Pure, no I/O."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from token_server.livekit.port import AgentOrder, Dispatch, Participant, ParticipantKind
from token_server.tokens.room_patterns import agent_by_rule, matches_any
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the operator has decided about agents.

    Attributes:
        agent_names: The names that may be asked for; the first is the default.
        attend_rooms: Patterns (`*`, `?`, `[a-z]`) of rooms that are attended for any human.
        agent_rules: Patterns of rooms, and the agent that is wanted there where nobody else says
            which; the first that covers a room counts.
    """

    agent_names: tuple[str, ...]
    attend_rooms: tuple[str, ...] = ()
    agent_rules: tuple[tuple[str, str], ...] = ()

    def default_order(self, room_name: str) -> AgentOrder:
        """Return the agent that is wanted in a room where nobody else says which."""
        default = self.agent_names[0]
        return AgentOrder(agent_name=agent_by_rule(self.agent_rules, room_name, default))


@dataclass(frozen=True, kw_only=True)
class Want:
    """One agent that is wanted in a room, since the first human who wants it joined."""

    order: AgentOrder
    since: datetime
    humans: tuple[Participant, ...] = field(default=(), compare=False)


class Wishes:
    """What the humans in a room want, and what they do not want any more.

    Args:
        room_name: Where.
        participants: Who is there.
        sealer: Opens tickets, and knows the marks of released humans.
        policy: What the operator has decided.
    """

    def __init__(
        self,
        room_name: str,
        participants: Iterable[Participant],
        sealer: TicketSealer,
        policy: Policy,
    ) -> None:
        self._room_name, self._sealer, self._policy = room_name, sealer, policy
        self._participants = sorted(participants, key=lambda participant: participant.joined_at)
        humans = [each for each in self._participants if each.kind is ParticipantKind.HUMAN]
        self._tickets = [(human, sealer.open(room_name, human)) for human in humans]
        # Somebody else may have sent an agent for them, as a SIP rule does: the dispatches tell.
        is_covered = matches_any(policy.attend_rooms, room_name)
        self.without_ticket = [h for h, ticket in self._tickets if is_covered and not ticket]

    def wanted(self, dispatches: Iterable[Dispatch] = ()) -> list[Want]:
        """Return one want per agent name, with the metadata of whoever asked first."""
        found: dict[str, Want] = {}
        for human, order, is_released in self._orders(dispatches):
            if not is_released:
                want = found.setdefault(order.agent_name, Want(order=order, since=human.joined_at))
                found[order.agent_name] = replace(want, humans=(*want.humans, human))
        return list(found.values())

    def released(self, dispatches: Iterable[Dispatch] = ()) -> set[str]:
        """Name the agents that are done with a human who is there."""
        return {
            order.agent_name for _, order, is_released in self._orders(dispatches) if is_released
        }

    def unwritten(self, dispatches: Iterable[Dispatch]) -> dict[str, dict[str, str]]:
        """Return the ticket that each human without one is to have, by identity.

        It keeps what somebody else's dispatch has told the agent, also once LiveKit has lost it.
        """
        order = self._order_without_ticket(dispatches)
        return {
            identity: {
                TICKET_ATTRIBUTE: self._sealer.seal(Ticket(self._room_name, identity, order))
            }
            for identity in (human.participant_identity for human in self.without_ticket)
        }

    def _orders(
        self, dispatches: Iterable[Dispatch]
    ) -> Iterator[tuple[Participant, AgentOrder, bool]]:
        """Say of each human what they want, and whether they were released from it."""
        for human, ticket in self._tickets:
            order = ticket.order if ticket else None
            if human in self.without_ticket:
                order = self._order_without_ticket(dispatches)
            if order:
                is_released = self._sealer.is_released(self._room_name, human, order.agent_name)
                yield human, order, is_released

    def _order_without_ticket(self, dispatches: Iterable[Dispatch]) -> AgentOrder:
        """Return whom somebody else has sent by name; else who is there; else the default."""
        sent = sorted((d for d in dispatches if d.agent_name), key=lambda d: d.created_at)
        if sent:
            return sent[0].order
        here = (p.agent_name for p in self._participants if p.kind is ParticipantKind.AGENT)
        name = next(filter(None, here), None)
        return AgentOrder(agent_name=name) if name else self._policy.default_order(self._room_name)


def wants(
    room_name: str, participants: Iterable[Participant], sealer: TicketSealer, policy: Policy
) -> list[Want]:
    """Return what humans want, as far as the participants tell."""
    return Wishes(room_name, participants, sealer, policy).wanted()
