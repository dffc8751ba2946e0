"""Real looks at a LiveKit in memory, and what one token server counts of them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from prometheus_client import CollectorRegistry

from tests.exposition import counted
from tests.fakes import FakeLiveKit
from tests.lives import unasked
from token_server.keeper.keeper_records import KeeperMetrics
from token_server.keeper.look_at_room import Looker
from token_server.keeper.observed_room import LookReport
from token_server.keeper.wanted_agents import Policy
from token_server.livekit.port import AgentOrder
from token_server.telemetry.metrics import Metrics
from token_server.tokens.tickets import TICKET_ATTRIBUTE, Ticket, TicketSealer

SEALER = TicketSealer("a-made-up-secret-of-more-than-thirty-two-bytes")
AGENT = "voice-agent"


class Locks:
    """Locks that nobody holds, or all of which another actor holds."""

    def __init__(self, *, are_free: bool = True) -> None:
        self._are_free = are_free

    def hold_room(self, room_name: str) -> AbstractContextManager[bool]:
        """Let everybody in, or nobody."""
        del room_name
        return nullcontext(enter_result=self._are_free)


class Server:
    """One token server's looks, and what it counts."""

    def __init__(
        self,
        rooms: FakeLiveKit,
        *,
        locks_are_free: bool = True,
        count_caller: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._rooms = rooms
        self.metrics = Metrics(CollectorRegistry())
        self.counts = KeeperMetrics(self.metrics, count_caller)
        self._looker = Looker(
            rooms,
            Locks(are_free=locks_are_free),
            SEALER,
            Policy(agent_names=(AGENT,), attend_rooms=("phone-*",)),
            unasked(rooms),
        )

    def look(self, room_name: str = "room") -> LookReport:
        """Look at a room, as the keeper does."""
        report = self._looker.look(room_name)
        self.counts.looked(room_name, report)
        return report

    def counted(self, name: str) -> float:
        """Return a series' value."""
        return counted(self.metrics).get(name, 0.0)

    @property
    def attended(self) -> tuple[float, float]:
        """How many humans were attended, and after how many seconds altogether."""
        name = "join_to_attended_seconds"
        return self.counted(f"{name}_count"), self.counted(f"{name}_sum")

    @property
    def longest_unattended(self) -> float:
        """The seconds that the next scrape shows."""
        self.counts.beat(0, self._rooms.now())
        return self.counted("longest_unattended_seconds")


def ticket(identity: str = "alice", room_name: str = "room") -> str:
    """Seal what this human's token asked for."""
    return SEALER.seal(Ticket(room_name, identity, AgentOrder(agent_name=AGENT)))


def join(
    rooms: FakeLiveKit, server: Server | None, identity: str = "alice", room_name: str = "room"
) -> None:
    """Let a human join with a token of this server, or of one that is gone."""
    sealed = ticket(identity, room_name)
    if server:
        server.counts.token_issued(sealed)
    rooms.join(room_name, identity, {TICKET_ATTRIBUTE: sealed})
