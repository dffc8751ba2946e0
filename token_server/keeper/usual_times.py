"""How long an agent of a name usually takes from dispatch to room; and so when it is late.

LiveKit offers a job to one worker, drawn at random, and to no other when that one is silent
(livekit-behaviour 93). So a dispatch that has brought nobody in the usual time is hedged: another
one is sent while it still stands. Nothing is learnt from where more than one was sent. Where all
jobs of a name have one identity, two agents would put each other out: they are not hedged.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

from token_server.keeper.attendance import (
    Action,
    Attendance,
    CreateDispatch,
    DeleteDispatch,
    Settled,
    Wait,
)
from token_server.keeper.decisions import UNANSWERED
from token_server.keeper.hedging import NOTHING_LEARNT, Hedging
from token_server.state.bounded import Bounded

# Times kept of a name; names and waits that are kept.
_TIMES = 20
_KEPT = 10_000
# A dispatch is late after twice what nearly all took, within these bounds.
_SOONEST, _LATEST = timedelta(seconds=0.8), timedelta(seconds=4)
# As many dispatches may stand as where workers tell that they have none of them, after a worker has
# let one lapse.
_GHOSTS_REMEMBERED = timedelta(seconds=60)


class UsualTimes:
    """Learns from this process's looks. Thread-safe."""

    def __init__(self) -> None:
        # By room and name: when the dispatches were created that have stood in the wait.
        self._waits: Bounded[tuple[str, str], tuple[datetime, ...]] = Bounded(_KEPT)
        self._times: Bounded[str, deque[float]] = Bounded(_KEPT)
        self._lapsed_at: dict[str, datetime] = {}
        self._jobs: Bounded[tuple[str, str, str], str] = Bounded(_KEPT)  # by identity
        self._sharing: set[str] = set()  # names whose jobs share an identity
        self._lock = Lock()

    def hedging(self, agent_name: str, now: datetime) -> Hedging:
        """Say when a dispatch of this name is late, and how many may stand."""
        with self._lock:
            times = sorted(self._times.get(agent_name, ()))
            lapsed_at = self._lapsed_at.get(agent_name)
            is_haunted = lapsed_at is not None and now - lapsed_at < _GHOSTS_REMEMBERED
            is_sharing = agent_name in self._sharing
        usually = NOTHING_LEARNT
        if times:
            late = timedelta(seconds=times[len(times) * 9 // 10] * 2)
            usually = Hedging(after=min(max(late, _SOONEST), _LATEST))
        if is_sharing:
            return replace(usually, most=1, most_lapsed=1)
        return replace(usually, most=usually.most_lapsed) if is_haunted else usually

    def has_hedged(self, room_name: str, agent_name: str) -> bool:
        """Whether more than one dispatch has stood in the wait that is not over."""
        with self._lock:
            return len(self._waits.get((room_name, agent_name), ())) > 1

    def looked(self, room_name: str, decided: Iterable[tuple[Action, Attendance]]) -> None:
        """Take in a look, decision by decision."""
        with self._lock:
            for action, seen in decided:
                place = room_name, seen.order.agent_name
                self._note_identities(room_name, seen)
                match action:
                    case Wait() | CreateDispatch():
                        new = (seen.now,) if isinstance(action, CreateDispatch) else ()
                        listed = tuple(d.created_at for d in seen.dispatches)
                        self._note(place, (*listed, *new))
                    case DeleteDispatch(reason=reason) if reason == UNANSWERED and (
                        place[1] in self._times
                    ):
                        self._lapsed_at[place[1]] = seen.now
                    case Settled() if created_at := self._waits.pop(place, ()):
                        self._learn(place[1], created_at, seen)
                    case _:
                        pass

    def _note(self, place: tuple[str, str], created_at: tuple[datetime, ...]) -> None:
        before = self._waits.pop(place, ())
        # One that was deleted meanwhile counts all the same: it did not bring the agent.
        self._waits[place] = tuple(sorted(created_at)) if len(created_at) >= len(before) else before

    def _note_identities(self, room_name: str, seen: Attendance) -> None:
        """Notice a second job in a room that has the participant identity of another one."""
        name = seen.order.agent_name
        for job in (job for dispatch in seen.dispatches for job in dispatch.jobs):
            if not job.participant_identity:
                continue
            identity = (room_name, name, job.participant_identity)
            if self._jobs.setdefault(identity, job.job_id) != job.job_id:
                self._sharing.add(name)

    def _learn(self, agent_name: str, created_at: Sequence[datetime], seen: Attendance) -> None:
        if not seen.agents:
            return
        joined_at = seen.agents[0].joined_at
        if len(created_at) > 1:
            if joined_at > created_at[1]:
                self._lapsed_at[agent_name] = seen.now
            return
        seconds = (joined_at - max(created_at[0], seen.waiting_since or joined_at)).total_seconds()
        if seconds > 0:
            self._times.setdefault(agent_name, deque(maxlen=_TIMES)).append(seconds)
