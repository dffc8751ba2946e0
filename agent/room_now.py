"""What LiveKit says of a room and of the agents in it. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from livekit import rtc
from livekit.agents.types import ATTRIBUTE_AGENT_NAME, ATTRIBUTE_PUBLISH_ON_BEHALF

# livekit-server's own name for an agent, which SDKs of before 1.4 do not repeat
# (livekit-behaviour 94).
_SERVERS_AGENT_NAME = "lk.agent_name"


def agent_name_of(kind: int, attributes: Mapping[str, str]) -> str | None:
    """Return the name of an agent, "" if it has none; None for everybody else.

    An avatar is somebody else: it speaks for an agent that is there as well.
    """
    is_agent = kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    if not is_agent or ATTRIBUTE_PUBLISH_ON_BEHALF in attributes:
        return None
    return attributes.get(ATTRIBUTE_AGENT_NAME) or attributes.get(_SERVERS_AGENT_NAME, "")


@dataclass(frozen=True, kw_only=True)
class ListedAgent:
    """An agent that LiveKit lists, alive or not.

    Attributes:
        name: Its agent name; "" if it has none.
        identity: Its participant identity.
        sid: Its participant sid, another one after each join.
        joined_ms: When it joined, in milliseconds since 1970 by LiveKit's clock.
    """

    name: str
    identity: str
    sid: str = ""
    joined_ms: int = 0

    @property
    def seniority(self) -> tuple[int, str]:
        """What orders agents, the elder first, as the keeper orders them."""
        return self.joined_ms, self.sid


@dataclass(frozen=True, kw_only=True)
class RoomNow:
    """What LiveKit says of a room.

    Attributes:
        sid: Which room of its name it is; None when there is none.
        agents: The agents in it.
        humans: The identities of those in it whom an agent talks with.
    """

    sid: str | None
    agents: tuple[ListedAgent, ...] = ()
    humans: tuple[str, ...] = ()

    @property
    def has_human(self) -> bool:
        """Whether somebody is in it whom an agent talks with."""
        return bool(self.humans)


class LiveKitRoom(Protocol):
    """One room of LiveKit's, asked by its name."""

    async def look(self) -> RoomNow:
        """Return what LiveKit says of the room; any exception means: not known."""

    async def lives(self, identity: str) -> bool:
        """Say whether the process of a participant answers; never raises."""

    async def has_dispatch(self, dispatch_id: str) -> bool:
        """Say whether LiveKit lists a dispatch; any exception means: not known."""
