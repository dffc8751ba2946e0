"""Asks the agents of attended rooms for signs of life, about every second; who is silent, at once.

One process of a machine asks for a room (`Claims`). A question may take as long as its time-out,
so each has a thread: silent agents do not wait for each other.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import Protocol

from shared_settings.agent_signs import ALIVE_METHOD
from token_server.errors import TokenServerError
from token_server.keeper.agent_life import AgentLife, DeadAgent, LifeLimits
from token_server.keeper.due_rooms import Plan
from token_server.livekit.port import LiveKit, Participant, RpcOutcome

# Seconds between two questions to an agent that answers, and to one that has not answered the last.
_ASK_EVERY = 1.0
_ASK_AGAIN = 0.5
# Of two agents the one that stays is asked, but for one that has just come or answered. One lost
# question proves nothing here either.
_MAY_COME_UP = timedelta(seconds=6)
_HEARD_LATELY = 2.0
_ASKED_BEFORE_DEATH = 2
# Questions at the same time.
_AT_ONCE = 128
# Seconds. What is due within this time is asked in one go; and the longest wait for a new agent.
_TOGETHER = 0.02
_LONGEST_WAIT = 0.5
# Rooms that are watched at once; the others are believed LiveKit's list.
_ROOMS_WATCHED = 5_000


class Claims(Protocol):
    """Which process asks the agents of which room."""

    def claim_watch(self, room_name: str) -> bool:
        """Become, or stay, the one that does; False if another process is."""

    def give_up_watch(self, room_name: str) -> None:
        """Let another process do it."""


@dataclass
class _Watched:
    room_name: str
    agent: Participant
    life: AgentLife


class LifeWatch:
    """Knows which agents are dead, from any thread.

    Args:
        livekit: LiveKit.
        claims: Which rooms are ours to watch.
        limits: When an agent is dead.
        clock: Seconds that never go back.
        threads: Makes what asks the questions, when the first is due: after the fork.
    """

    def __init__(
        self,
        livekit: LiveKit,
        claims: Claims,
        limits: LifeLimits,
        clock: Callable[[], float] = time.monotonic,
        threads: Callable[[], Executor] = lambda: ThreadPoolExecutor(_AT_ONCE, "keeper-asks"),
    ) -> None:
        self._livekit, self._claims, self._limits, self._clock = livekit, claims, limits, clock
        self._watched: dict[str, dict[str, _Watched]] = {}  # by room, by sid
        self._due = Plan()  # by sid
        self._by_sid: dict[str, _Watched] = {}
        self._lock = Lock()
        self._make_threads = threads
        self._threads: Executor | None = None

    def watch(self, room_name: str, agents: Sequence[Participant]) -> None:
        """Ask these agents of a room from now on, and no others; none where no human waits."""
        if self._limits.are_off:
            return
        with self._lock:
            before = self._watched.get(room_name, {})
            is_ours = bool(agents) and (bool(before) or self._may_watch(room_name))
            after = {
                agent.participant_sid: before.get(agent.participant_sid)
                or self._begin(room_name, agent)
                for agent in (agents if is_ours else ())
            }
            for sid in before.keys() - after.keys():
                self._due.drop(sid)
                del self._by_sid[sid]
            if after:
                self._watched[room_name] = after
            elif before:
                del self._watched[room_name]
                self._claims.give_up_watch(room_name)

    def dead(self, room_name: str) -> Sequence[DeadAgent]:
        """Return the agents of a room that were asked, and found dead."""
        now, livekits = self._clock(), self._livekit.now()
        found = []
        with self._lock:
            for watched in self._watched.get(room_name, {}).values():
                if death := watched.life.death(self._limits, now):
                    ago = timedelta(seconds=now - watched.life.last_sign(death))
                    found.append(
                        DeadAgent(participant=watched.agent, death=death, since=livekits - ago)
                    )
        return found

    def heard_within(self, room_name: str, agent_name: str, seconds: float) -> bool:
        """Whether an agent of this name has given a sign of life within so many seconds."""
        since = self._clock() - seconds
        with self._lock:
            return any(
                watched.agent.agent_name == agent_name and (watched.life.heard_at or 0.0) > since
                for watched in self._watched.get(room_name, {}).values()
            )

    def seems_dead(self, room_name: str, agent: Participant) -> bool:
        """Ask an agent, unless it has answered lately; what is not known is no death."""
        if self._limits.are_off or self._livekit.now() - agent.joined_at < _MAY_COME_UP:
            return False
        with self._lock:
            watched = self._by_sid.get(agent.participant_sid)
            heard_at = watched.life.heard_at if watched else None
        if heard_at is not None and self._clock() - heard_at < _HEARD_LATELY:
            return False
        return all(self._is_silent(room_name, agent) for _ in range(_ASKED_BEFORE_DEATH))

    def _is_silent(self, room_name: str, agent: Participant) -> bool:
        """Whether nothing answers; one that has left since the look began does not stay either."""
        outcome, is_gone = self._put_question(room_name, agent, ALIVE_METHOD)
        return is_gone or outcome in {RpcOutcome.SILENT, RpcOutcome.UNANSWERED}

    def ask_due(self, look_now: Callable[[str], None]) -> float:
        """Ask whoever is due, each in a thread of its own.

        Args:
            look_now: Is told the room of an agent that was found dead or is not listed any more,
                by that thread: where no webhook tells of a room's end, nobody else would look.

        Returns:
            The seconds until somebody else is due.
        """
        now = self._clock()
        if self._threads is None:
            self._threads = self._make_threads()
        while True:
            with self._lock:
                sid = self._due.take(now + _TOGETHER)
                if sid is None:
                    wait = self._due.next_due() - self._clock()
                    return min(max(wait, _TOGETHER), _LONGEST_WAIT)
                watched = self._by_sid[sid]
            self._threads.submit(self._ask, watched, look_now)

    def close(self) -> None:
        """Ask nobody any more."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _may_watch(self, room_name: str) -> bool:
        return len(self._watched) < _ROOMS_WATCHED and self._claims.claim_watch(room_name)

    def _begin(self, room_name: str, agent: Participant) -> _Watched:
        now = self._clock()
        watched = _Watched(room_name, agent, AgentLife(asked_since=now))
        self._by_sid[agent.participant_sid] = watched
        self._due.add(agent.participant_sid, now)
        return watched

    def _ask(self, watched: _Watched, look_now: Callable[[str], None]) -> None:
        room_name, agent, life = watched.room_name, watched.agent, watched.life
        method, outcome, asked_at = life.method, RpcOutcome.UNKNOWN, self._clock()
        is_gone = False
        try:
            outcome, is_gone = self._put_question(room_name, agent, method)
        finally:
            is_dead = self._note(watched, method, outcome, asked_at)
        if is_dead or is_gone:
            look_now(room_name)

    def _put_question(
        self, room_name: str, agent: Participant, method: str
    ) -> tuple[RpcOutcome, bool]:
        """Return what becomes of a question, and whether the agent is not listed any more."""
        outcome = self._livekit.ask_participant(room_name, agent.participant_identity, method)
        if outcome not in {RpcOutcome.UNANSWERED, RpcOutcome.UNKNOWN}:
            return outcome, False
        is_listed = self._is_listed(room_name, agent)
        return outcome if is_listed else RpcOutcome.UNKNOWN, is_listed is False

    def _note(self, watched: _Watched, method: str, outcome: RpcOutcome, asked_at: float) -> bool:
        """Take in an outcome, plan the next question, and say whether this agent is dead."""
        life, sid = watched.life, watched.agent.participant_sid
        with self._lock:
            now = self._clock()
            life.note(method, outcome, now, now - asked_at)
            death = life.death(self._limits, now)
            if self._by_sid.get(sid) is watched:
                is_urgent = life.is_in_doubt and not death
                self._due.add(sid, max(now, asked_at + (_ASK_AGAIN if is_urgent else _ASK_EVERY)))
            return death is not None

    def _is_listed(self, room_name: str, agent: Participant) -> bool | None:
        """Whether LiveKit, which could not put a question to it, answers that it is there.

        None: it answers nothing at all, so it stands still, and nobody is dead.
        """
        try:
            participants = self._livekit.list_participants(room_name)
        except TokenServerError:
            return None
        return any(p.participant_sid == agent.participant_sid for p in participants)
