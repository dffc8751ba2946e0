"""What we ask of LiveKit: the port. twirp_livekit.py is the adapter, tests/fakes.py the fake.

Every method waits a bounded time and raises only what errors.py lists: an error means that the
answer is unknown, never that there is nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, IntEnum
from typing import Protocol

from shared_settings.agent_signs import DISPATCH_ATTRIBUTE

# How an agent is known; older SDKs leave it to livekit-server's own (livekit-behaviour 41, 94).
AGENT_NAME_ATTRIBUTE = "lk.agent.name"
_SERVERS_AGENT_NAME_ATTRIBUTE = "lk.agent_name"
# How LiveKit's agents begin, and nobody else with a token of ours (livekit-behaviour 44).
AGENT_IDENTITY_PREFIX = "agent-"
# Whose voice an avatar has (livekit-behaviour 48).
AVATAR_ATTRIBUTE = "lk.publish_on_behalf"


class ParticipantKind(Enum):
    """Who a participant is to us."""

    HUMAN = "human"
    AGENT = "agent"
    OTHER = "other"  # ingress, egress, bridges, avatars, hidden participants and recorders


class JobStatus(IntEnum):
    """A job's state, by LiveKit's numbers (livekit_agent.proto, JobStatus)."""

    PENDING = 0
    RUNNING = 1
    SUCCESS = 2
    FAILED = 3
    CANCELLED = 4

    @property
    def word(self) -> str:
        """The state as people read it."""
        return self.name.lower()


@dataclass(frozen=True, kw_only=True)
class Room:
    """A live room.

    Attributes:
        room_name: Ours to choose.
        room_sid: LiveKit's; another one when the room is made again.
        created_at: By LiveKit's clock.
        num_participants: Who is in it but agents and recorders, up to 5 s ago.
        num_publishers: Who has published anything, agents too, up to 5 s ago (livekit-behaviour 6).
    """

    room_name: str
    room_sid: str
    created_at: datetime
    num_participants: int = 0
    num_publishers: int = 0


@dataclass(frozen=True, kw_only=True)
class Participant:
    """Somebody in a room.

    Attributes:
        participant_identity: Chosen by whoever made their token.
        participant_sid: LiveKit's; another one after each join.
        kind: Who they are to us.
        joined_at: By LiveKit's clock.
        region: "" where LiveKit has none.
        attributes: What is known of them in the room.
        is_phone: Whether they came over a phone line.
        has_audio: Whether they have published sound, as far as is known.
        is_active: Whether their media is up (LiveKit's state ACTIVE).
        has_left_by_itself: Whether they have left and ended the connection themselves, as an agent
            does whose job is over or taken back too.
    """

    participant_identity: str
    participant_sid: str
    kind: ParticipantKind
    joined_at: datetime
    region: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    is_phone: bool = False
    has_audio: bool = False
    is_active: bool = True
    has_left_by_itself: bool = False

    @property
    def agent_name(self) -> str:
        """The name an agent's worker registered under; "" for an unnamed worker's agent."""
        by_server = self.attributes.get(_SERVERS_AGENT_NAME_ATTRIBUTE, "")
        return self.attributes.get(AGENT_NAME_ATTRIBUTE) or by_server


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run of a dispatch on a worker. `started_at` is LiveKit's clock."""

    job_id: str
    status: JobStatus
    started_at: datetime
    participant_identity: str = ""

    @property
    def is_taken(self) -> bool:
        """Whether a worker has it, or had it."""
        return self.status is not JobStatus.PENDING

    @property
    def is_over(self) -> bool:
        """Whether LiveKit says that the job has ended; it may never (livekit-behaviour 26)."""
        return self.status in {JobStatus.SUCCESS, JobStatus.FAILED, JobStatus.CANCELLED}


@dataclass(frozen=True, kw_only=True)
class AgentOrder:
    """Which agent is to come, and what its job is told; fields are called as in LiveKit's requests.

    Attributes:
        agent_name: The name its workers registered under.
        metadata: Reaches the job.
        deployment: Which of these workers; "" for those without one (livekit-behaviour 99).
        attributes: Reach the job, too.
    """

    agent_name: str
    metadata: str = field(default="", repr=False)
    deployment: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """A dispatch record of a room. `created_at` is LiveKit's clock."""

    dispatch_id: str
    agent_name: str
    created_at: datetime
    metadata: str = field(default="", repr=False)
    deployment: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    jobs: tuple[Job, ...] = ()

    @property
    def order(self) -> AgentOrder:
        """What it was made of."""
        return AgentOrder(
            agent_name=self.agent_name,
            metadata=self.metadata,
            deployment=self.deployment,
            attributes=self.attributes,
        )

    @property
    def has_job(self) -> bool:
        """Whether a worker is known to have it in hand."""
        return any(not job.is_over for job in self.jobs)

    def brought(self, agent: Participant) -> bool:
        """Whether this agent is known to have come of it."""
        if of := agent.attributes.get(DISPATCH_ATTRIBUTE):
            return of == self.dispatch_id
        identity = agent.participant_identity
        return any(job.participant_identity == identity for job in self.jobs)


@dataclass(frozen=True, kw_only=True)
class RoomOrder:
    """A room to be made, or found; the time-outs and agents count only when it is made."""

    room_name: str
    empty_timeout: timedelta
    departure_timeout: timedelta
    agents: tuple[AgentOrder, ...] = ()


class RpcOutcome(Enum):
    """What became of a question that LiveKit has put to a participant (livekit-behaviour 92)."""

    ANSWERED = "by the method that it has registered"
    UNSUPPORTED = "by its transport, which knows no such method: its process lives"
    SILENT = "LiveKit says that no answer came in time"
    UNANSWERED = "LiveKit itself gave no answer"
    LIMITED = "LiveKit has put it to nobody, since there were too many requests"
    NO_CHANNEL = "LiveKit has no data channel to it: it is coming up, or died as it did"
    UNKNOWN = "anything else"


class LiveKit(Protocol):
    """LiveKit's room and dispatch services, as far as we use them."""

    def now(self) -> datetime:
        """Return LiveKit's time, as its answers tell it: our own clock may be off."""

    def create_room(self, order: RoomOrder) -> Room:
        """Make the room, or return the live one untouched."""

    def list_rooms(self, room_names: Sequence[str] = ()) -> Sequence[Room]:
        """Return the live rooms of these names, or all; `num_participants` lags up to 5 s."""

    def list_changed_rooms(self, before: Mapping[str, Room]) -> Mapping[str, Room]:
        """Return all live rooms by name; one that is as it was before is that very object."""

    def list_participants(self, room_name: str) -> Sequence[Participant]:
        """Return who is in the room; nobody also when there is no such room."""

    def has_participants(self, room_name: str) -> bool:
        """Whether anybody is in the room; as cheap as can be, for rooms that are followed.

        Where it says yes, `list_participants` may know that they are all on the way out.
        """

    def list_dispatches(self, room_name: str) -> Sequence[Dispatch]:
        """Return the room's dispatches. Never call it for a missing room: 3 s, then 503."""

    def create_dispatch(self, room_name: str, order: AgentOrder) -> Dispatch:
        """Send an agent to the room. Makes the room when it is missing, and never deduplicates."""

    def delete_dispatch(self, room_name: str, dispatch_id: str) -> bool:
        """Take a dispatch back and end its job; False when somebody else has done so."""

    def remove_participant(self, room_name: str, participant_identity: str) -> bool:
        """Put a participant out of the room; False when they are not there."""

    def ask_participant(self, room_name: str, participant_identity: str, method: str) -> RpcOutcome:
        """Call a participant's RPC method; whatever goes wrong is an outcome, and no error."""

    def set_attributes(
        self, room_name: str, participant_identity: str, attributes: Mapping[str, str]
    ) -> bool:
        """Set some of a participant's attributes, "" takes one away; False when they are gone."""
