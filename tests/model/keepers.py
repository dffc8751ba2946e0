"""What a token server's keeper is made of: real, or broken on purpose."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

from token_server.keeper.agent_life import LifeLimits
from token_server.keeper.first_sends import FirstSends, SendNotes
from token_server.keeper.last_seen_agents import LastSeenAgents
from token_server.keeper.life_watch import LifeWatch
from token_server.keeper.look_at_room import Lives, Looker
from token_server.keeper.observed_room import LookReport
from token_server.keeper.room_locks import RoomLocks
from token_server.keeper.wanted_agents import Policy
from token_server.livekit.port import LiveKit, Participant
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer


class _Tickets(TicketSealer):
    """Opens each ticket once: no history depends on the work that a cipher is."""

    def __init__(self, api_secret: str) -> None:
        super().__init__(api_secret)
        self._opened: dict[tuple[str, str, str], Ticket | None] = {}

    def open(self, room_name: str, participant: Participant) -> Ticket | None:
        """Return the ticket that this participant holds for this room."""
        sealed = participant.attributes.get(TICKET_ATTRIBUTE, "")
        key = room_name, participant.participant_identity, sealed
        if key not in self._opened:
            self._opened[key] = super().open(room_name, participant)
        return self._opened[key]


PHONE_ROOM = "phone"
AGENT = "voice-agent"
SECRET = "a-made-up-secret-of-more-than-thirty-two-bytes"
SEALER = _Tickets(SECRET)
POLICY = Policy(agent_names=(AGENT,), attend_rooms=(PHONE_ROOM,))
LIMITS = LifeLimits(silent=2.0, blocked=5.0)


class Looks(Protocol):
    """A `Looker`."""

    sightings: LastSeenAgents

    def look(self, room_name: str) -> LookReport:
        """Look at a room."""

    def peek(self, room_name: str) -> bool:
        """Whether nobody is in a room."""

    def room_made(self, room_name: str) -> None:
        """Know that this process has just made a room."""


@dataclass(frozen=True)
class Parts:
    """The classes of a keeper."""

    looker: Callable[..., Looks] = Looker
    watch: Callable[..., LifeWatch] = LifeWatch
    first_sends: Callable[..., FirstSends] = FirstSends

    def build_looker(
        self,
        rooms: LiveKit,
        locks: RoomLocks,
        lives: Lives,
        notes: SendNotes,
        clock: Callable[[], float],
    ) -> Looks:
        """Build what looks at rooms."""
        first_sends = self.first_sends(notes, clock)
        return self.looker(rooms, locks, SEALER, POLICY, lives, first_sends=first_sends)

    def build_watch(
        self,
        rooms: LiveKit,
        clock: Callable[[], float],
        threads: Callable[[], Executor],
    ) -> LifeWatch:
        """Build what asks agents for signs of life."""
        return self.watch(rooms, LIMITS, clock, threads)
