"""What a look does: the calls to LiveKit that change something, each logged and noted."""

import logging
from collections.abc import Mapping
from contextlib import suppress

from token_server.errors import LiveKitBusyError, LiveKitUnavailableError
from token_server.keeper.agent_life import Death
from token_server.keeper.attendance import (
    Action,
    Attendance,
    CreateDispatch,
    DeleteDispatch,
    RemoveAgent,
    Settled,
    Wait,
)
from token_server.keeper.decisions import failed
from token_server.keeper.failures import FAILURES_ATTRIBUTE
from token_server.keeper.last_seen_agents import LastSeenAgents
from token_server.livekit.port import LiveKit, Participant
from token_server.state.bounded import Bounded
from token_server.state.timeline import EntryDetails, Event, Timeline

logger = logging.getLogger(__name__)

# Agents that were put out, by sid; the first is forgotten first.
_PUT_OUT_KEPT = 10_000


class Acts:
    """Does what looks decide, from any thread.

    Args:
        livekit: LiveKit.
        timeline: Where it is noted.
        sightings: What is to know whom it has put out.
    """

    def __init__(self, livekit: LiveKit, timeline: Timeline, sightings: LastSeenAgents) -> None:
        self._livekit, self._timeline, self._sightings = livekit, timeline, sightings
        self._put_out: Bounded[str, None] = Bounded(_PUT_OUT_KEPT)

    def has_put_out(self, participant: Participant) -> bool:
        """Whether this one was put out as dead; LiveKit may list them for ever."""
        return participant.participant_sid in self._put_out

    def do(
        self, room_name: str, action: Action, seen: Attendance, removed: list[RemoveAgent]
    ) -> dict[str, str]:
        """Do what was decided; return the dispatches that this created, with the agent's name."""
        created, is_done = {}, True
        noted: EntryDetails = {"agent_name": seen.order.agent_name, "reason": action.reason}
        match action:
            case CreateDispatch(order=order):
                dispatch = self._livekit.create_dispatch(room_name, order)
                created[dispatch.dispatch_id] = order.agent_name
                noted["dispatch_id"] = dispatch.dispatch_id
                event, subject = Event.DISPATCHED, dispatch.dispatch_id
            case DeleteDispatch(dispatch_id=dispatch_id):
                is_done = self._livekit.delete_dispatch(room_name, dispatch_id)
                noted["dispatch_id"] = dispatch_id
                event, subject = Event.DISPATCH_DELETED, dispatch_id
                if is_done and action.is_failure:
                    self._note_failure(room_name, seen)
            case RemoveAgent(participant=agent, reason=reason):
                is_done = self._remove(room_name, agent, is_dead=isinstance(reason, Death))
                removed += [action] if is_done else []
                noted["participant_identity"] = agent.participant_identity
                event, subject = Event.AGENT_REMOVED, ""
            case Settled() | Wait():
                return created
        if is_done:
            self._timeline.note(room_name, event, subject=subject, **noted)
        waited = (seen.now - seen.waiting_since).total_seconds() if seen.waiting_since else 0.0
        logger.info(
            type(action).__name__,
            extra={
                "room": room_name,
                "agent": seen.order.agent_name,
                "reason": action.reason,
                "outcome": "done" if is_done else "gone before",
                "waited_seconds": round(max(waited, 0.0), 3),
            },
        )
        return created

    def _note_failure(self, room_name: str, seen: Attendance) -> None:
        """Write down that an agent has failed, where every process sees it."""
        attributes = {FAILURES_ATTRIBUTE: failed(seen).to_attribute()}
        humans = (human.participant_identity for human in seen.humans)
        self.tell_humans(room_name, dict.fromkeys(humans, attributes))

    def tell_humans(self, room_name: str, news: Mapping[str, Mapping[str, str]]) -> None:
        """Set attributes; what fails is told by a later look, or makes the next agent come soon."""
        for identity, attributes in news.items():
            with suppress(LiveKitUnavailableError):
                self._livekit.set_attributes(room_name, identity, attributes)

    def _remove(self, room_name: str, agent: Participant, *, is_dead: bool) -> bool:
        """Put an agent out; a dead one counts as put out even where LiveKit cannot do it.

        LiveKit lists the participants of a crashed node for ever, and can reach none of them.
        """
        try:
            return self._livekit.remove_participant(room_name, agent.participant_identity)
        except LiveKitBusyError:
            is_dead = False  # LiveKit has not tried
            raise
        except LiveKitUnavailableError:
            if not is_dead:
                raise
            return False
        finally:
            if is_dead:
                self._sightings.note(room_name, agent, is_here=False)
                self._put_out[agent.participant_sid] = None
