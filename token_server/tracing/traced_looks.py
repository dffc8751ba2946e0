"""The spans `look` and `join`, in the traces of the humans that a look has seen.

A room is looked at every few seconds for as long as somebody is in it; a span is made only of a
look that acted, or was the first to see one of our humans, or them attended.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opentelemetry.trace import Span, Tracer

from token_server.errors import TokenServerError
from token_server.keeper.attendance import Settled, Wait
from token_server.keeper.awaited_humans import AwaitedHumans
from token_server.keeper.look_at_room import Looker
from token_server.keeper.observed_room import LookReport, agents_named
from token_server.livekit.port import Participant
from token_server.tokens.tickets import Ticket, TicketSealer
from token_server.tracing.calls import Recording, record
from token_server.tracing.names import (
    AGENT_NAME,
    DECISIONS,
    PARTICIPANT_IDENTITY,
    ROOM_NAME,
    Attributes,
)
from token_server.tracing.spans import add_calls, context_of, fail, links_to

_ACTS = {"CreateDispatch", "DeleteDispatch", "RemoveParticipant"}


@dataclass(frozen=True)
class _Human:
    """Somebody whose token was traced, and when they and their agent joined."""

    ticket: Ticket
    agent_name: str
    joined_at: datetime
    agent_joined_at: datetime | None


class TracedLooker:
    """A looker whose looks become spans.

    Args:
        looker: It looks.
        tracer: Who makes the spans.
        sealer: Opens the tickets of the humans in a room.
        arrivals: The traceparents of the tokens that this process has issued.
    """

    def __init__(
        self, looker: Looker, tracer: Tracer, sealer: TicketSealer, arrivals: AwaitedHumans
    ) -> None:
        self._looker, self.sightings = looker, looker.sightings
        self.peek = looker.peek
        self.room_made, self.room_ended = looker.room_made, looker.room_ended
        self._tracer, self._sealer, self._arrivals = tracer, sealer, arrivals

    def look(self, room_name: str) -> LookReport:
        """Look, and tell."""
        began = time.time_ns()
        with record() as recording:
            try:
                report = self._looker.look(room_name)
            except TokenServerError as error:
                self._tell(room_name, began, recording, type(error).__name__)
                raise
        self._tell(room_name, began, recording, report)
        return report

    def _tell(
        self, room_name: str, began: int, recording: Recording, end: LookReport | str
    ) -> None:
        """Make the spans of one look that has just ended.

        Args:
            room_name: Where.
            began: Nanoseconds since 1970.
            recording: What it asked LiveKit, and whom it has seen.
            end: What it came to, or the error that ended it.
        """
        humans = self._humans(room_name, recording.participants)
        came = [human for human in humans if self._arrivals.has_come(human.ticket.traceparent)]
        attended = [human for human in humans if self._is_attended(human)]
        has_acted = any(call.method in _ACTS for call in recording.calls)
        if humans and (has_acted or came or attended):
            # Whoever is new here is what this look is about; the others know of it by a link.
            humans.sort(key=lambda human: (human not in came + attended, human.joined_at))
            self._tell_look(humans, began, recording, end)
        for human in attended:
            self._tell_join(human)

    def _tell_look(
        self, humans: Sequence[_Human], began: int, recording: Recording, end: LookReport | str
    ) -> None:
        first, *others = [human.ticket.traceparent for human in humans]
        span = self._tracer.start_span(
            "look",
            context_of(first),
            attributes={ROOM_NAME: humans[0].ticket.room_name},
            links=links_to(others),
            start_time=began,
        )
        if isinstance(end, str):
            fail(span, end)
        add_calls(self._tracer, span, recording.calls, _decided(span, recording, end))
        span.end()

    def _is_attended(self, human: _Human) -> bool:
        is_here = human.agent_joined_at is not None
        return is_here and self._arrivals.is_attended(human.ticket.traceparent)

    def _tell_join(self, human: _Human) -> None:
        """Tell what the human waited, by LiveKit's clock; nothing if the agent was there first."""
        attributes: Attributes = {
            ROOM_NAME: human.ticket.room_name,
            PARTICIPANT_IDENTITY: human.ticket.participant_identity,
            AGENT_NAME: human.agent_name,
        }
        span = self._tracer.start_span(
            "join",
            context_of(human.ticket.traceparent),
            attributes=attributes,
            start_time=_nanoseconds(human.joined_at),
        )
        span.end(_nanoseconds(max(human.joined_at, human.agent_joined_at or human.joined_at)))

    def _humans(self, room_name: str, participants: Sequence[Participant]) -> list[_Human]:
        found = []
        for human in participants:
            ticket = self._sealer.open(room_name, human)
            # Whoever wants nobody is no look's business.
            if ticket and ticket.order and ticket.traceparent:
                agent_name = ticket.order.agent_name
                joined = [agent.joined_at for agent in agents_named(agent_name, participants)]
                came_at = min(joined, default=None)
                found.append(_Human(ticket, agent_name, human.joined_at, came_at))
        return found


def _decided(span: Span, recording: Recording, end: LookReport | str) -> list[str]:
    """Note a look's decisions, and return the reason of each call that was an act."""
    if isinstance(end, str):
        return []
    span.set_attribute(DECISIONS, [type(action).__name__ for action, _ in end.decided])
    reasons = iter(a.reason for a, _ in end.decided if not isinstance(a, Settled | Wait))
    return [next(reasons, "") if call.method in _ACTS else "" for call in recording.calls]


def _nanoseconds(at: datetime) -> int:
    """LiveKit tells milliseconds; a float has no more than microseconds to give."""
    return round(at.timestamp() * 1_000) * 1_000_000
