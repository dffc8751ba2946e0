"""Which humans of a room are released when an operator takes a call over. Pure, no I/O.

A released human wants no agent any more, until they join anew. Their mark says so, by which any
process knows it; what was sent because they wanted it is taken back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import BaseModel, ConfigDict, Field

from shared_settings.release_marks import without_marks
from token_server.keeper.wanted_agents import Policy, Want, wants
from token_server.livekit.port import Dispatch, Participant, ParticipantKind
from token_server.tokens.tickets import TicketSealer


class ReleaseRequest(BaseModel):
    """Whom to release; every field is optional: without any, all humans from all agents."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    agent_name: str | None = Field(
        default=None, description="Only humans who want this agent. Without it: any agent."
    )
    participant_identity: str | None = Field(
        default=None, description="Only this human. Without it: all humans of the room."
    )


@dataclass(frozen=True, kw_only=True)
class HumanRelease:
    """One human, the agent that they are released from, and the attributes to set for it.

    None are to be set where their mark is there already.
    """

    human: Participant
    agent_name: str
    attributes: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ReleasePlan:
    """What there is to do, in this order.

    Attributes:
        humans: Who gets a mark; first, or the keeper would send the next agent.
        dispatches: What is taken back; LiveKit puts out the agents that came of it.
        agents: Who has to be put out besides.
    """

    humans: tuple[HumanRelease, ...] = ()
    dispatches: tuple[Dispatch, ...] = ()
    agents: tuple[Participant, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RoomContent:
    """Who is in a room, and what was sent for."""

    room_name: str
    participants: Sequence[Participant]
    dispatches: Sequence[Dispatch]


def wants_of_all(
    room_name: str, participants: Iterable[Participant], sealer: TicketSealer, policy: Policy
) -> list[Want]:
    """Return who wants which agent, as if nobody had been released.

    So a release that broke off half-way can be asked for again.
    """
    unmarked = [replace(each, attributes=without_marks(each.attributes)) for each in participants]
    return wants(room_name, unmarked, sealer, policy)


def plan_release(
    room: RoomContent, wanted: Sequence[Want], request: ReleaseRequest, sealer: TicketSealer
) -> ReleasePlan:
    """Decide what there is to do.

    Args:
        room: As LiveKit lists it.
        wanted: Who wants which agent, by `wants_of_all`.
        request: Whom to release.
        sealer: Makes marks, and knows those that are there.
    """
    asked = _Asked(room, request, sealer)
    chosen = {want.order.agent_name: asked.humans(want) for want in wanted}
    # An agent that somebody else wants stays.
    over = {
        want.order.agent_name
        for want in wanted
        if chosen[want.order.agent_name] and not asked.is_wanted_by_others(want)
    }
    dispatches = [each for each in room.dispatches if each.agent_name in over]
    agents = [
        each
        for each in room.participants
        if each.kind is ParticipantKind.AGENT
        and each.agent_name in over
        and not any(dispatch.brought(each) for dispatch in dispatches)
    ]
    humans = [each for several in chosen.values() for each in several]
    return ReleasePlan(humans=tuple(humans), dispatches=tuple(dispatches), agents=tuple(agents))


class _Asked:
    """What is asked for, in one room."""

    def __init__(self, room: RoomContent, request: ReleaseRequest, sealer: TicketSealer) -> None:
        self._room_name, self._request, self._sealer = room.room_name, request, sealer
        # As they are listed, with their marks.
        self._humans = {each.participant_identity: each for each in room.participants}

    def humans(self, want: Want) -> list[HumanRelease]:
        """Return those who want this agent and are to be released from it."""
        agent_name = want.order.agent_name
        if self._request.agent_name not in {None, agent_name}:
            return []
        return [
            HumanRelease(
                human=human, agent_name=agent_name, attributes=self._mark(human, agent_name)
            )
            for human in self._listed(want)
            if self._is_meant(human)
        ]

    def is_wanted_by_others(self, want: Want) -> bool:
        """Whether somebody wants this agent who was not released and is not to be."""
        agent_name = want.order.agent_name
        return any(
            self._mark(human, agent_name)
            for human in self._listed(want)
            if not self._is_meant(human)
        )

    def _listed(self, want: Want) -> list[Participant]:
        return [self._humans[human.participant_identity] for human in want.humans]

    def _is_meant(self, human: Participant) -> bool:
        return self._request.participant_identity in {None, human.participant_identity}

    def _mark(self, human: Participant, agent_name: str) -> dict[str, str]:
        return self._sealer.to_release(self._room_name, human, agent_name)
