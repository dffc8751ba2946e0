"""Which agents truly live, and what each answers to a question (livekit-behaviour 91, 92, 95)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from random import Random

from shared_settings.agent_signs import ALIVE_METHOD
from tests.model.clock import Clock
from token_server.livekit.port import Participant, RpcOutcome

# Seconds after a join in which an agent's data channel may not be up yet.
_COMES_UP = 0.5
# Who lives again was dead a moment ago: what was decided meanwhile may still be done (seconds).
_WAS_DEAD = 12.0
# Seconds for which LiveKit lists a dead agent; those of a crashed node for ever.
LISTED_DEAD = 20.0
# Seconds for which an agent gives no sign before it may be called dead, by what it does.
_MAY_BE_DEAD = 2.0


class Vitality(Enum):
    """How an agent truly is."""

    LIVES = "lives"
    KILLED = "is killed"
    FROZEN = "is frozen"
    HUNG = "hangs: its event loop stands still"
    GHOST = "was on a node that has crashed: it is listed for ever"


@dataclass
class _State:
    vitality: Vitality
    since: float
    ended_at: float | None = None  # when it lived again


class Vitals:
    """All agents, by sid; who is not here lives."""

    def __init__(self, clock: Clock, chance: Random) -> None:
        self._clock, self._chance = clock, chance
        self._states: dict[str, _State] = {}
        self._lost: set[tuple[str, ...]] = set()
        # Whether a question, or its answer, is lost now and then: never two in a row of one asker,
        # nor two in a row by the same method.
        self.lose_probes = False

    def strike(self, agent: Participant, vitality: Vitality) -> None:
        """Have something befall an agent that lives."""
        if self.of(agent) is Vitality.LIVES:
            self._states[agent.participant_sid] = _State(vitality, self._clock.now)
            self._clock.tell(f"{agent.participant_sid} {vitality.value}")

    def thaw(self, agent: Participant) -> bool:
        """Let an agent that is frozen live again; False if it is not."""
        if self.of(agent) is not Vitality.FROZEN:
            return False
        self._states[agent.participant_sid].ended_at = self._clock.now
        self._clock.tell(f"{agent.participant_sid} lives again")
        return True

    def of(self, agent: Participant) -> Vitality:
        """Return how an agent is."""
        state = self._states.get(agent.participant_sid)
        return Vitality.LIVES if state is None or state.ended_at is not None else state.vitality

    def lives(self, agent: Participant) -> bool:
        """Whether an agent lives."""
        return self.of(agent) is Vitality.LIVES

    def without_ghosts(self, agents: Iterable[Participant]) -> list[Participant]:
        """Return those that nodes which stand have."""
        return [agent for agent in agents if self.of(agent) is not Vitality.GHOST]

    def lives_or_did(self, agent: Participant) -> bool:
        """Whether it lives, or has not been dead for so long that everybody has noticed."""
        state = self._states.get(agent.participant_sid)
        is_new = state is not None and self._clock.now - state.since <= LISTED_DEAD
        return self.lives(agent) or is_new

    def is_dead(self, agent: Participant) -> bool:
        """Whether it answers nothing at all, or did not a moment ago."""
        hangs = self.of(agent) is Vitality.HUNG
        return not hangs and (not self.lives(agent) or self.may_be_called_dead(agent))

    def may_be_called_dead(self, agent: Participant) -> bool:
        """Whether it gives no sign for long enough, or did not until a moment ago."""
        state, now = self._states.get(agent.participant_sid), self._clock.now
        if state is None:
            return False
        ended_at = now if state.ended_at is None else state.ended_at
        # The last answer may have been under way when it was struck, and counted when it came.
        return ended_at - state.since >= _MAY_BE_DEAD - 1.0 and now - ended_at <= _WAS_DEAD

    def answer(
        self, agent: Participant | None, method: str, asker: str, *, is_ours: bool
    ) -> RpcOutcome:
        """Return what becomes of a question to whoever has the identity now; None: nobody."""
        if agent is None or self.of(agent) is Vitality.GHOST:
            return RpcOutcome.UNANSWERED
        sid, vitality = agent.participant_sid, self.of(agent)
        is_struck = vitality in {Vitality.KILLED, Vitality.FROZEN}
        until = self._states[sid].since if is_struck else self._clock.now
        if self._clock.at(until - _COMES_UP) < agent.joined_at:
            return RpcOutcome.NO_CHANNEL
        if is_struck or self._is_lost((sid, asker), method):
            return RpcOutcome.SILENT
        if vitality is Vitality.HUNG and is_ours and method == ALIVE_METHOD:
            return RpcOutcome.SILENT
        has_method = is_ours and method == ALIVE_METHOD
        return RpcOutcome.ANSWERED if has_method else RpcOutcome.UNSUPPORTED

    def _is_lost(self, way: tuple[str, str], method: str) -> bool:
        ways = {way, (*way, method)}
        if not self.lose_probes or self._lost & ways or self._chance.random() < 0.5:
            self._lost -= ways
            return False
        self._lost |= ways
        return True
