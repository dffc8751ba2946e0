"""A join, from the request for a token to the room that waits for its human. Open this first.

The order is the product: make the room ready, seal what was asked for into a ticket, sign the
token, and follow the room until its human is there and attended (keeper.py, decisions.py).
"""

import logging
import secrets
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Protocol

from pydantic import Field

from shared_settings.settings import AgentDispatch
from token_server.errors import InvalidRequestError, PermissionDeniedError
from token_server.livekit.port import AgentOrder, LiveKit, Room, RoomOrder
from token_server.settings import Settings
from token_server.state.timeline import NOT_KEPT, EntryDetails, Event, Timeline
from token_server.tokens.join_tokens import JoinToken, check_length, mint_join_token
from token_server.tokens.room_patterns import agent_by_rule, matches_any
from token_server.tokens.tickets import Ticket, TicketSealer
from token_server.tokens.token_request import DISPATCH_OPTIONS, RequestedAgent, TokenRequest

logger = logging.getLogger(__name__)

# LiveKit's clock is known within a second at first; after that much better.
_JUST_NOW = timedelta(milliseconds=50)
_AGENTLESS = EntryDetails(outcome="without an agent")

# A room's name, and what is around its making: whoever counts rooms may refuse it there.
RoomClaim = Callable[[str], AbstractContextManager[object]]


class Follower(Protocol):
    """Who sees to it that the human is attended; the keeper."""

    def follow(self, room: Room, sealed_ticket: str, seconds: float, *, is_new: bool) -> None:
        """Look at a room until the human with this ticket is in it, or for so many seconds."""

    def token_issued(self) -> None:
        """Count a token whose human waits for nobody."""


@dataclass(frozen=True, kw_only=True)
class JoinAnswer:
    """All that a client needs to connect."""

    server_url: Annotated[str, Field(description="Where livekit-client connects.")]
    participant_token: Annotated[
        str, Field(description="A JWT, for this participant in this room alone.")
    ]
    room_name: str
    participant_identity: str


class Joins:
    """Prepares joins for one LiveKit, as the settings say."""

    def __init__(
        self,
        settings: Settings,
        livekit: LiveKit,
        sealer: TicketSealer,
        follower: Follower,
        timeline: Timeline = NOT_KEPT,
    ) -> None:
        self._settings, self._livekit, self._timeline = settings, livekit, timeline
        self._sealer, self._follower = sealer, follower
        self._agent_names = settings.allowed_agent_names

    def prepare(
        self, request: TokenRequest, traceparent: str = "", claim: RoomClaim = nullcontext
    ) -> JoinAnswer:
        """Make the room ready and sign a token for it.

        Args:
            request: What is asked for.
            traceparent: The trace to go on with when the human comes; "" for none.
            claim: Around the making of the room; else anybody may make any room.

        Raises:
            InvalidRequestError: The token would be too long, or the agent has options that are
                not a caller's to choose.
            PermissionDeniedError: The room asked for is not one that ROOM_NAMES covers, the agent
                not one that callers may have, or they may not do without one.
            TooManyRequestsError: The claim is refused.
            LiveKitUnavailableError: LiveKit did not make the room in time.
        """
        room_name = self._room_name(request)
        order = self._agent_order(request, room_name)
        participant_identity = request.participant_identity or f"human-{uuid.uuid4()}"
        ticket = Ticket(room_name, participant_identity, order, traceparent)
        join_token = JoinToken(ticket, request, self._sealer.seal(ticket))
        check_length(join_token, self._settings)
        with claim(room_name):
            room, is_new = self._make_room_ready(room_name, order)
        ready_at = self._livekit.now()
        participant_token = mint_join_token(join_token, self._settings, ready_at)
        self._look_after(room, join_token, is_new=is_new)
        self._tell_ready(room, ticket, ready_at, is_new=is_new)
        return JoinAnswer(
            server_url=self._settings.server_url,
            participant_token=participant_token,
            room_name=room_name,
            participant_identity=participant_identity,
        )

    def _look_after(self, room: Room, join_token: JoinToken, *, is_new: bool) -> None:
        """Have the human looked out for, if they are to have an agent."""
        if join_token.ticket.order is None:
            self._follower.token_issued()
            return
        seconds = self._settings.token_ttl.total_seconds()
        self._follower.follow(room, join_token.sealed_ticket, seconds, is_new=is_new)

    def _tell_ready(self, room: Room, ticket: Ticket, ready_at: datetime, *, is_new: bool) -> None:
        """Write the one line of a /token request, whose name operators look for; note the same."""
        outcome = "created" if is_new else "already live"
        identity, order = ticket.participant_identity, ticket.order
        logger.info(
            "Room ready",
            extra={
                "room": room.room_name,
                "sid": room.room_sid,
                "outcome": outcome,
                "identity": identity,
                "agent": order.agent_name if order else None,
            },
        )
        note = partial(self._timeline.note, ticket.room_name)
        note(Event.ROOM_READY, at=ready_at, outcome=outcome)
        issued = EntryDetails(participant_identity=identity)
        issued |= EntryDetails(agent_name=order.agent_name) if order else _AGENTLESS
        note(Event.TOKEN_ISSUED, **issued)

    def _room_name(self, request: TokenRequest) -> str:
        """Return the room asked for; without one a fresh one that nobody can guess."""
        if not request.room_name:
            return f"room-{secrets.token_urlsafe(12)}"
        patterns = self._settings.room_names
        if patterns and not matches_any(patterns, request.room_name):
            raise PermissionDeniedError("room_name is not a room that callers may ask for")
        return request.room_name

    def _agent_order(self, request: TokenRequest, room_name: str) -> AgentOrder | None:
        """Fill in the configured name: a nameless agent would come (livekit-behaviour 12).

        Returns:
            None for somebody whom no agent is sent for.
        """
        if request.agentless:
            if not self._settings.agentless_tokens:
                raise PermissionDeniedError("agentless must be left out: AGENTLESS_TOKENS is 0")
            return None
        agent, rules = request.agent, self._settings.agent_rules
        self._check_options(agent)
        by_rule = agent_by_rule(rules, room_name, self._agent_names[0])
        agent_name = agent.agent_name or by_rule
        if agent_name not in {*self._agent_names, by_rule}:
            raise PermissionDeniedError(
                "room_config.agents.0.agent_name is not an agent that callers may ask for"
            )
        # What may be asked for are an order's fields.
        return AgentOrder(**(dict(agent) | {"agent_name": agent_name}))

    def _check_options(self, agent: RequestedAgent) -> None:
        """Refuse what only DISPATCH_OPTIONS lets callers choose."""
        for option in () if self._settings.dispatch_options else DISPATCH_OPTIONS:
            if getattr(agent, option):
                raise InvalidRequestError(
                    f"room_config.agents.0.{option} is not a field that a caller may set:"
                    " DISPATCH_OPTIONS is 0"
                )

    def _make_room_ready(self, room_name: str, order: AgentOrder | None) -> tuple[Room, bool]:
        """Create the room before the join; also say whether it is new.

        With AGENT_DISPATCH=token the agent is ordered here, at once and atomically, but only if
        the room is new (livekit-behaviour 1, 21). An unnamed worker is sent to every new room
        anyway; the order carries its metadata.
        """
        is_ordered_now = self._settings.agent_dispatch is not AgentDispatch.JOIN
        asked_at = self._livekit.now()
        room = self._livekit.create_room(
            RoomOrder(
                room_name=room_name,
                empty_timeout=self._settings.room_empty_timeout,
                departure_timeout=self._settings.room_departure_timeout,
                agents=(order,) if order and is_ordered_now else (),
            )
        )
        return room, room.created_at >= asked_at - _JUST_NOW
