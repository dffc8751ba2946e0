"""Asks the agents of attended rooms for signs of life, about every second; who is silent, at once.

The process that looks after a room asks its agents, and whoever else has looked at it until that
one knows of them. A question may take as long as its time-out, so each has a thread: silent agents
do not wait for each other.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

from shared_settings.agent_signs import ALIVE_METHOD
from token_server.errors import TokenServerError
from token_server.keeper.agent_life import AgentLife, DeadAgent, LifeLimits
from token_server.keeper.questions import Questions
from token_server.livekit.pace import Pace, Purpose, asking_for
from token_server.livekit.port import LiveKit, Participant, RpcOutcome
from token_server.livekit.slices import slices

# Of two agents the one that stays is asked, but for one that has just come or answered. One lost
# question proves nothing here either.
_MAY_COME_UP = timedelta(seconds=6)
_HEARD_LATELY = 2.0
_ASKED_BEFORE_DEATH = 2
# Where LiveKit says so, its list is asked whether the agent is there.
_MAY_BE_GONE = {RpcOutcome.UNANSWERED, RpcOutcome.NO_CHANNEL, RpcOutcome.UNKNOWN}
# Questions at the same time.
_AT_ONCE = 128
# Seconds. What is due within this time is asked in one go; and the longest wait for a new agent.
_TOGETHER = 0.02
_LONGEST_WAIT = 0.5
# Rooms that are watched at once; the others are believed LiveKit's list.
_ROOMS_WATCHED = 10_000
# Rooms that are handed over in one go: others have their turn between.
_HANDED_OVER_AT_ONCE = 250
_FOR_EVER = float("inf")


@dataclass
class _Watched:
    room_name: str
    agent: Participant
    life: AgentLife


class LifeWatch:
    """Knows which agents are dead, from any thread.

    Args:
        livekit: LiveKit.
        limits: When an agent is dead.
        clock: Seconds that never go back.
        threads: Makes what asks the questions, when the first is due: after the fork.
        pace: How many requests LiveKit may be asked.
    """

    def __init__(
        self,
        livekit: LiveKit,
        limits: LifeLimits,
        clock: Callable[[], float] = time.monotonic,
        threads: Callable[[], Executor] = lambda: ThreadPoolExecutor(_AT_ONCE, "keeper-asks"),
        pace: Pace | None = None,
    ) -> None:
        self._livekit, self._limits, self._clock = livekit, limits, clock
        self._pace = pace or Pace()
        self._watched: dict[str, dict[str, _Watched]] = {}  # by room, by sid
        self._until: dict[str, float] = {}  # by room: how long it is watched without a look
        self._questions = Questions()
        self._by_sid: dict[str, _Watched] = {}
        self._lock = Lock()
        self._make_threads = threads
        self._threads: Executor | None = None

    def watch(
        self, room_name: str, agents: Sequence[Participant], seconds: float = _FOR_EVER
    ) -> None:
        """Ask these agents of a room from now on, and no others; none where no human waits.

        Args:
            room_name: The room.
            agents: Who a look has seen there.
            seconds: For how long, unless the room is looked at again.
        """
        if self._limits.are_off:
            return
        with self._lock:
            before = self._watched.get(room_name, {})
            may_watch = bool(before) or len(self._watched) < _ROOMS_WATCHED
            after = {
                agent.participant_sid: before.get(agent.participant_sid)
                or self._begin(room_name, agent)
                for agent in (agents if may_watch else ())
            }
            self._forget(before.keys() - after.keys())
            self._watched.pop(room_name, None)
            self._until.pop(room_name, None)
            if after:
                self._watched[room_name] = after
                self._until[room_name] = self._clock() + seconds

    def hand_over(self, is_mine: Callable[[str], bool], seconds: float) -> None:
        """Watch rooms that are not this process's for so many seconds more; its own for ever."""
        for some in slices(list(self._until), _HANDED_OVER_AT_ONCE):
            for room_name in some:
                is_ours = is_mine(room_name)
                with self._lock:
                    if before := self._until.get(room_name):
                        until = min(before, self._clock() + seconds)
                        self._until[room_name] = _FOR_EVER if is_ours else until

    def longest_interval(self) -> float:
        """Return the seconds since the question to the agent to whom it is the longest ago."""
        with self._lock:
            return self._questions.longest_interval(self._clock())

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
        if self._threads is None:
            self._threads = self._make_threads()
        while True:
            with self._lock:
                purpose, watched, wait = self._take_due(self._clock())
            if watched is None:
                return min(max(wait, _TOGETHER), _LONGEST_WAIT)
            # Counted now: until the thread asks, others would find that nothing has been spent.
            self._pace.spent(purpose=purpose)
            self._threads.submit(self._ask, watched, look_now, purpose)

    def _take_due(self, now: float) -> tuple[Purpose, _Watched | None, float]:
        """Return whom to ask now; or nobody, and the seconds until somebody may be due."""
        purpose = Purpose.LIFE
        while (wait := self._questions.next_due(now) - now) <= _TOGETHER:
            # A human may be waiting for the next agent of who is in doubt.
            is_in_doubt = self._questions.is_in_doubt(now + _TOGETHER)
            purpose = Purpose.WAITING if is_in_doubt else Purpose.LIFE
            # What LiveKit may not be asked yet stays due, in its order: all intervals grow alike.
            if held_for := self._pace.wait(purpose):
                return purpose, None, held_for
            if (sid := self._questions.take(now + _TOGETHER)) is None:
                return purpose, None, _TOGETHER
            watched = self._by_sid[sid]
            if self._until[watched.room_name] >= now:
                return purpose, watched, 0.0
            self._forget(self._watched.pop(watched.room_name))
            del self._until[watched.room_name]
        return purpose, None, wait

    def close(self) -> None:
        """Ask nobody any more."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _forget(self, sids: Iterable[str]) -> None:
        for sid in sids:
            self._questions.end(sid)
            del self._by_sid[sid]

    def _begin(self, room_name: str, agent: Participant) -> _Watched:
        now = self._clock()
        watched = _Watched(room_name, agent, AgentLife(asked_since=now))
        self._by_sid[agent.participant_sid] = watched
        self._questions.begin(agent.participant_sid, now)
        return watched

    def _ask(self, watched: _Watched, look_now: Callable[[str], None], purpose: Purpose) -> None:
        room_name, agent, life = watched.room_name, watched.agent, watched.life
        method, outcome, asked_at = life.method, RpcOutcome.UNKNOWN, self._clock()
        is_gone = False
        try:
            with asking_for(purpose, paid=1):
                outcome, is_gone = self._put_question(room_name, agent, method)
        finally:
            is_dead = self._note(watched, method, outcome, asked_at)
        if is_dead or is_gone:
            look_now(room_name)

    def _put_question(
        self, room_name: str, agent: Participant, method: str
    ) -> tuple[RpcOutcome, bool]:
        """Return what becomes of a question, and whether the agent is not listed any more.

        A data channel follows the media in a round trip or two; of an agent that dies between them
        LiveKit says that it has none, until it ceases to list it (livekit-behaviour 92).
        """
        outcome = self._livekit.ask_participant(room_name, agent.participant_identity, method)
        if outcome not in _MAY_BE_GONE:
            return outcome, False
        try:
            participants = self._livekit.list_participants(room_name)
        except TokenServerError:
            # It answers nothing at all, so it stands still, and nobody is dead.
            return RpcOutcome.UNKNOWN, False
        sid = agent.participant_sid
        listed = next((one for one in participants if one.participant_sid == sid), None)
        if listed is None:
            return RpcOutcome.UNKNOWN, True
        if outcome is RpcOutcome.NO_CHANNEL:
            return RpcOutcome.SILENT if listed.is_active else RpcOutcome.UNKNOWN, False
        return outcome, False

    def _note(self, watched: _Watched, method: str, outcome: RpcOutcome, asked_at: float) -> bool:
        """Take in an outcome, plan the next question, and say whether this agent is dead."""
        life, sid = watched.life, watched.agent.participant_sid
        with self._lock:
            now = self._clock()
            life.note(method, outcome, now, now - asked_at)
            death = life.death(self._limits, now)
            if self._by_sid.get(sid) is watched:
                # Where LiveKit takes no question, to ask soon would only use up what is left.
                is_refused = outcome is RpcOutcome.LIMITED
                is_in_doubt = life.is_in_doubt and not death and not is_refused
                self._questions.again(sid, asked_at, now, is_in_doubt=is_in_doubt)
            return death is not None
