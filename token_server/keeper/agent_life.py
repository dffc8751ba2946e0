"""Does an agent live? What its answers, and its silence, add up to. Pure: no I/O, no clock.

LiveKit lists a killed agent for 20 s, and one that hangs for ever (livekit-behaviour 91). So it is
asked; an agent with code of ours answers from its event loop, any other from its transport. What
is not known is no death: an agent that is still coming up, a LiveKit that stands still.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared_settings.agent_signs import ALIVE_METHOD
from token_server.livekit.port import Participant, RpcOutcome

# Agents with code of ours register ALIVE_METHOD, and nobody this one.
TRANSPORT_METHOD = "token-server.transport"
# One lost question proves nothing: LiveKit registers it after it was sent.
_IN_A_ROW = 2
# Seconds. An agent whose answers take so long is on a machine under load, and gets more time: times
# so many. What it took is remembered for a few answers.
_UNDER_LOAD = 0.2
_LOAD_FACTOR = 4
_REMEMBERED = 0.7
# Seconds before the first question without an answer that count as silence at most: one that was
# merely not asked for longer is not silent.
_UNASKED = 1.0
# Seconds without any sign since an agent was first asked: it may be coming up.
_COMES_UP = 6.0
# Seconds for which LiveKit answers us, and does not get an answer from wherever the agent should
# be: a crashed node leaves its participants in the list for ever (livekit-behaviour 95).
_GONE_AFTER = 10.0
_GONE_IN_A_ROW = 5


class Death(StrEnum):
    """How an agent was found dead, as logs and timelines say it."""

    SILENT = "it gives no sign of life"
    BLOCKED = "its event loop stands still"
    GONE = "it is listed, and nobody answers for it"


@dataclass(frozen=True, kw_only=True)
class LifeLimits:
    """Seconds after which an agent counts as dead; 0 = never.

    Attributes:
        silent: Without any sign of life (AGENT_SILENT_SECONDS).
        blocked: Without a sign from its event loop (AGENT_BLOCKED_SECONDS).
    """

    silent: float
    blocked: float

    @property
    def are_off(self) -> bool:
        """Whether nobody is ever found dead."""
        return not self.silent and not self.blocked


@dataclass(frozen=True, kw_only=True)
class DeadAgent:
    """An agent that LiveKit lists and that does not live.

    Attributes:
        participant: Who it is.
        death: How it was found dead.
        since: When it last gave a sign of life, by LiveKit's clock.
    """

    participant: Participant
    death: Death
    since: datetime


@dataclass(kw_only=True)
class AgentLife:
    """What one agent has answered; times are seconds of a clock that never goes back.

    Attributes:
        asked_since: When it was first asked.
        heard_at: When anything of it last answered; None if never.
        loop_heard_at: When its event loop last did; None if never: it has no code of ours.
        silent: How many questions in a row nothing has answered.
        silent_since: When the first of these was asked.
        blocked: How many in a row its event loop has not answered.
        blocked_since: When the first of these was asked.
        absent: How many in a row LiveKit itself could not put to anybody.
        absent_since: When the first of these was asked.
        pace: Seconds that its answers take at most, those of a while ago counting less.
    """

    asked_since: float
    heard_at: float | None = None
    loop_heard_at: float | None = None
    silent: int = 0
    silent_since: float = 0.0
    blocked: int = 0
    blocked_since: float = 0.0
    absent: int = 0
    absent_since: float = 0.0
    pace: float = 0.0
    _is_loop_in_doubt: bool = False

    @property
    def is_in_doubt(self) -> bool:
        """Whether the last question was not answered: the next is to come at once."""
        return bool(self.silent or self.blocked or self.absent)

    @property
    def method(self) -> str:
        """What to ask next: whose event loop is silent may have a transport that answers."""
        return TRANSPORT_METHOD if self._is_loop_in_doubt else ALIVE_METHOD

    def note(self, method: str, outcome: RpcOutcome, now: float, took: float = 0.0) -> None:
        """Take in an answer, or its absence.

        Args:
            method: What was asked.
            outcome: What LiveKit said; UNANSWERED only where it answers other questions.
            now: When.
            took: The seconds since it was asked.
        """
        if outcome in {RpcOutcome.ANSWERED, RpcOutcome.UNSUPPORTED}:
            self.pace = max(took, self.pace * _REMEMBERED)
        has_asked_loop = method == ALIVE_METHOD and self.loop_heard_at is not None
        self._is_loop_in_doubt = has_asked_loop and outcome is RpcOutcome.SILENT
        match outcome:
            case RpcOutcome.ANSWERED:
                self.heard_at = self.loop_heard_at = now
                self.silent = self.blocked = self.absent = 0
            case RpcOutcome.UNSUPPORTED:
                self.heard_at, self.silent, self.absent = now, 0, 0
            case RpcOutcome.SILENT:
                self.silent_since = self.silent_since if self.silent else now - took
                self.blocked_since = self.blocked_since if self.blocked else now - took
                self.silent, self.absent = self.silent + 1, 0
                self.blocked += has_asked_loop
            case RpcOutcome.UNANSWERED:
                self.absent_since = self.absent_since if self.absent else now
                self.absent += 1
            case _:
                pass

    def death(self, limits: LifeLimits, now: float) -> Death | None:
        """Say how it is dead; None while it lives, or nobody knows."""
        if limits.silent and self._is_silent(limits.silent, now):
            return Death.SILENT
        is_absent = self.absent >= _GONE_IN_A_ROW and now - self.absent_since >= _GONE_AFTER
        if limits.silent and is_absent:
            return Death.GONE
        if limits.blocked and self.loop_heard_at is not None and self.blocked >= _IN_A_ROW:
            since = max(self.loop_heard_at, self.blocked_since - _UNASKED)
            return Death.BLOCKED if now - since >= limits.blocked else None
        return None

    def last_sign(self, death: Death) -> float:
        """Return when it last gave the sign whose absence is this death."""
        at = self.loop_heard_at if death is Death.BLOCKED else self.heard_at
        return self.asked_since if at is None else at

    def _is_silent(self, limit: float, now: float) -> bool:
        if self.silent < _IN_A_ROW:
            return False
        if self.heard_at is None:
            return now - self.asked_since >= max(limit, _COMES_UP)
        since = max(self.heard_at, self.silent_since - _UNASKED)
        return now - since >= limit * (_LOAD_FACTOR if self.pace > _UNDER_LOAD else 1)
