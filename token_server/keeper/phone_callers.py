"""Who on a phone hears their agent, and how long they have waited for it. No I/O of its own.

A phone rings until an agent has published sound (livekit-behaviour 101): until then its caller is
not attended, although the agent may be in the room.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from token_server.keeper.attendance import Attendance
from token_server.keeper.wanted_agents import Want
from token_server.livekit.port import AVATAR_ATTRIBUTE, Participant
from token_server.state.bounded import Bounded

# As many as rooms are followed (schedule.py); who was seen first is forgotten first.
_KNOWN = 10_000


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody on a phone who wants an agent, as one look has seen them.

    Attributes:
        participant_sid: LiveKit's; each call has its own.
        agent_name: Whom they want.
        here_for: Seconds since they joined.
        agent_after: Seconds from their join to that of the agent that they hear, 0 where it was
            there first; None while they hear none.
    """

    participant_sid: str
    agent_name: str
    here_for: float
    agent_after: float | None


def callers_of(
    wanted: Iterable[Want],
    attendances: Iterable[Attendance],
    participants: Iterable[Participant],
    now: datetime,
) -> tuple[Caller, ...]:
    """Return the humans on a phone among those who want an agent.

    Args:
        wanted: Who wants which agent.
        attendances: Which agents live.
        participants: Who is in the room.
        now: LiveKit's time.
    """
    phones = [(want, human) for want in wanted for human in want.humans if human.is_phone]
    if not phones:
        return ()
    voices = _voices(participants)
    heard_since = {
        seen.order.agent_name: min(
            (agent.joined_at for agent in seen.agents if agent.participant_identity in voices),
            default=None,
        )
        for seen in attendances
    }
    return tuple(
        _caller(human, want.order.agent_name, heard_since[want.order.agent_name], now)
        for want, human in phones
    )


def _voices(participants: Iterable[Participant]) -> set[str]:
    """Name who can be heard; an agent whose avatar speaks publishes no sound itself."""
    return {
        participant.attributes.get(AVATAR_ATTRIBUTE) or participant.participant_identity
        for participant in participants
        if participant.has_audio
    }


def _caller(
    human: Participant, agent_name: str, heard_since: datetime | None, now: datetime
) -> Caller:
    def seconds_until(time: datetime) -> float:
        return max((time - human.joined_at).total_seconds(), 0.0)

    return Caller(
        participant_sid=human.participant_sid,
        agent_name=agent_name,
        here_for=seconds_until(now),
        agent_after=None if heard_since is None else seconds_until(heard_since),
    )


class PhoneCallers:
    """Notices once, in one process, that a caller hears an agent. Thread-safe.

    Args:
        is_first: Asked, by the sid of a caller who hears an agent, whether no other process has
            counted them yet.
    """

    def __init__(self, is_first: Callable[[str], bool]) -> None:
        self._is_first = is_first
        self._hears: Bounded[str, bool] = Bounded(_KNOWN)  # by sid
        self._lock = Lock()

    def looked(self, callers: Sequence[Caller]) -> Iterator[float]:
        """Give the seconds from join to voice of those who hear an agent for the first time.

        To the look that has seen it, where this process has seen before that they hear none; else
        to the join of the agent: such a look may come long after (a restart, a second caller).
        """
        for caller in callers:
            with self._lock:
                has_heard = self._hears.get(caller.participant_sid)
                if has_heard:
                    continue
                self._hears[caller.participant_sid] = caller.agent_after is not None
            if caller.agent_after is not None and self._is_first(caller.participant_sid):
                has_waited = has_heard is False
                yield caller.here_for if has_waited else caller.agent_after
