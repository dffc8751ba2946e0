"""A keeper that only remembers what it was told."""

from dataclasses import dataclass, field

from token_server.errors import KeeperStuckError
from token_server.livekit.port import Participant, Room


@dataclass
class RecordingKeeper:
    """Notes every call; does nothing."""

    followed: list[tuple[str, str, float, bool]] = field(default_factory=list)
    changed: list[tuple[str, Participant]] = field(default_factory=list)
    here: list[bool] = field(default_factory=list)
    tracks: list[tuple[str, Participant]] = field(default_factory=list)
    ended: list[tuple[str, str]] = field(default_factory=list)
    issued: int = 0
    webhooks: int = 0
    events: list[str] = field(default_factory=list)
    events_at: list[float] = field(default_factory=list)
    is_stuck: bool = False

    def follow(self, room: Room, sealed_ticket: str, seconds: float, *, is_new: bool) -> None:
        """Note a room that is to be followed."""
        self.followed.append((room.room_name, sealed_ticket, seconds, is_new))

    def token_issued(self) -> None:
        """Count a token whose human waits for nobody."""
        self.issued += 1

    def webhook_arrived(self, event: str, created_at: float) -> None:
        """Count it, and note its event and that event's time."""
        self.webhooks += 1
        self.events.append(event)
        self.events_at.append(created_at)

    def participant_changed(
        self, room_name: str, participant: Participant, *, is_here: bool
    ) -> None:
        """Note a room to look at."""
        self.changed.append((room_name, participant))
        self.here.append(is_here)

    def track_published(self, room_name: str, participant: Participant) -> None:
        """Note somebody's track."""
        self.tracks.append((room_name, participant))

    def room_ended(self, room_name: str, room_sid: str) -> None:
        """Note a room that is no more."""
        self.ended.append((room_name, room_sid))

    def check_alive(self) -> None:
        """Be alive, or not."""
        if self.is_stuck:
            raise KeeperStuckError("The keeper is stuck")

    @property
    def heard(self) -> tuple[int, list[str]]:
        """How many webhooks arrived, and which rooms are to be looked at."""
        return self.webhooks, [room_name for room_name, _ in self.changed]
