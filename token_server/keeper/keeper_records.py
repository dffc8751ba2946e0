"""What the keeper sees and does: counted for Prometheus, and noted in the timelines of rooms."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from token_server.keeper.agent_life import Death
from token_server.keeper.attendance import (
    Action,
    Attendance,
    CreateDispatch,
    DeleteDispatch,
    RemoveAgent,
)
from token_server.keeper.awaited_humans import AwaitedHumans
from token_server.keeper.decisions import failed
from token_server.keeper.observed_room import LookReport
from token_server.keeper.phone_callers import PhoneCallers
from token_server.livekit.port import Participant
from token_server.state import livekit_past
from token_server.state.timeline import Event, Timeline
from token_server.telemetry.metrics import FAILURES, WEBHOOK_EVENTS, Metrics

# A room whose human waits is looked at every second; who has not been seen to wait for this long
# (LiveKit does not answer) is not said to wait.
_BELIEVED_FOR = timedelta(seconds=60)


@dataclass(frozen=True)
class _MissingAgent:
    since: datetime
    seen_at: datetime

    @property
    def seconds(self) -> float:
        return (self.seen_at - self.since).total_seconds()


class UnattendedHumans:
    """How long wanted agents have been missing, room by room. Thread-safe.

    Only what looks have shown, one after the other: from the first that did not find the agent,
    since it may have been there until then, to the last. Whoever goes, or whose room ends, is gone
    with the next look; which comes within a second, because this process has seen them wait.
    """

    def __init__(self) -> None:
        self._rooms: dict[str, dict[str, _MissingAgent]] = {}  # by room and by agent's name
        self._lock = Lock()

    def looked(self, room_name: str, missing: Sequence[Attendance]) -> None:
        """Take in which wanted agents a look has not found in a room; mostly none."""
        with self._lock:
            before = self._rooms.pop(room_name, {})
            if missing:
                self._rooms[room_name] = {
                    seen.order.agent_name: _wait(seen, before.get(seen.order.agent_name))
                    for seen in missing
                }

    def waiting_for(self, agent_name: str) -> list[str]:
        """Name the rooms that wait for an agent of this name."""
        with self._lock:
            return [room_name for room_name, waits in self._rooms.items() if agent_name in waits]

    def waits(self, room_name: str) -> bool:
        """Whether a human waits in a room."""
        return room_name in self._rooms

    def longest(self, now: datetime) -> float:
        """Return the seconds of the longest wait that is not over; 0 if nobody waits.

        Args:
            now: LiveKit's time, as of the looks.
        """
        with self._lock:
            self._rooms = {
                room_name: waits
                for room_name, waits in self._rooms.items()
                if any(now - wait.seen_at < _BELIEVED_FOR for wait in waits.values())
            }
            waits = [wait.seconds for waits in self._rooms.values() for wait in waits.values()]
            return max([0.0, *waits])


def _wait(seen: Attendance, before: _MissingAgent | None) -> _MissingAgent:
    """Go on with a wait, or begin one; another human's begins with their join."""
    first_seen_at = before.since if before else min([seen.now, *(dead.since for dead in seen.dead)])
    return _MissingAgent(since=max(first_seen_at, seen.waiting_since or seen.now), seen_at=seen.now)


class KeeperTimeline:
    """Notes what looks show and decide, and what webhooks tell."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.flush = timeline.flush

    def looked(self, room_name: str, report: LookReport) -> None:
        """Note who was there, which jobs were taken, and what was decided."""
        self._timeline.add(livekit_past.arrivals(room_name, report.view.participants))
        for action, seen in report.decided:
            self._timeline.add(livekit_past.jobs(room_name, seen.dispatches))
            agent_name = seen.order.agent_name
            self._timeline.note_look(room_name, agent_name, action.reason, seen.now)

    def participant_changed(
        self, room_name: str, participant: Participant, *, is_here: bool
    ) -> None:
        """Note who came or went."""
        self._timeline.add(livekit_past.arrivals(room_name, [participant]))
        if not is_here:
            now = self._timeline.now()
            self._timeline.add(livekit_past.departures(room_name, participant, now))

    def track_published(self, room_name: str, participant: Participant) -> None:
        """Note somebody's first track."""
        now = self._timeline.now()
        entry = livekit_past.of_participant(room_name, Event.FIRST_TRACK, participant, now)
        self._timeline.add([entry])

    def room_ended(self, room_name: str, room_sid: str) -> None:
        """Note a room's end."""
        self._timeline.note(room_name, Event.ROOM_ENDED, subject=room_sid)


class KeeperMetrics:
    """Counts looks, what they decide, and how long humans wait: with our tokens, or on a phone.

    Args:
        metrics: Where they are counted.
        count_caller: Says whether this process is the first to count a phone caller.
    """

    def __init__(self, metrics: Metrics, count_caller: Callable[[str], bool]) -> None:
        self._metrics = metrics
        self._arrivals = AwaitedHumans()
        self._callers = PhoneCallers(count_caller)
        self._unattended = UnattendedHumans()
        self.waiting_for, self.waits = self._unattended.waiting_for, self._unattended.waits

    def token_issued(self, sealed_ticket: str) -> None:
        """Count a token; its human is expected."""
        self._metrics.tokens_issued.inc()
        self._arrivals.expect(sealed_ticket)

    def webhook_arrived(self, event: str, age: float | None) -> None:
        """Count a webhook, so many seconds after its event."""
        self._metrics.webhooks_received.inc()
        if event in WEBHOOK_EVENTS:
            self._metrics.webhook_events.labels(event).inc()
        if age is not None:
            self._metrics.webhook_age.observe(max(age, 0.0))

    def beat(self, rooms_followed: int, now: datetime) -> None:
        """Say how many rooms this process follows, and who waits at present (LiveKit's time)."""
        self._metrics.rooms_followed.set(rooms_followed)
        self._metrics.longest_unattended.set(self._unattended.longest(now))

    def reached(self, rooms: int, oldest_look: float, longest_unasked: float) -> None:
        """Say how large this process's share is, and which intervals it reaches (seconds)."""
        self._metrics.rooms_swept.set(rooms)
        self._metrics.sweep_interval.set(oldest_look)
        self._metrics.life_interval.set(longest_unasked)

    def look_failed(self) -> None:
        """Count a look that LiveKit did not answer, or that met a bug."""
        self._metrics.looks.labels("failed").inc()

    def looked(self, room_name: str, report: LookReport) -> None:
        """Count a look, its decisions and whom it has seen."""
        self._unattended.looked(room_name, report.view.missing)
        self._metrics.looks.labels("done" if report.again_in is None else "waiting").inc()
        self._count_decisions(report.decided)
        for removal in report.removed:
            self._count_removal(removal)
        self._count_arrivals(report.view.waited)
        for seconds in self._callers.looked(report.view.callers):
            self._metrics.phone_join_to_heard.observe(seconds)

    def _count_decisions(self, decided: Sequence[tuple[Action, Attendance]]) -> None:
        deleted = set()
        for action, seen in decided:
            self._metrics.decisions.labels(type(action).__name__, action.reason).inc()
            agent_name = seen.order.agent_name
            match action:
                case DeleteDispatch(is_failure=is_failure):
                    deleted.add(agent_name)
                    if is_failure:
                        in_a_row = failed(seen).in_a_row
                        self._metrics.agents_failed.labels(FAILURES[min(in_a_row, 3) - 1]).inc()
                case CreateDispatch() if agent_name in deleted:
                    self._metrics.dispatches_repaired.inc()
                case _:
                    pass

    def _count_removal(self, removal: RemoveAgent) -> None:
        if isinstance(removal.reason, Death):
            self._metrics.agents_dead.labels(removal.reason.name.lower()).inc()
        else:
            self._metrics.duplicates_removed.inc()

    def _count_arrivals(self, waited: Mapping[str, float | None]) -> None:
        for sealed_ticket, seconds in waited.items():
            if self._arrivals.has_come(sealed_ticket):
                self._metrics.humans_joined.inc()
            if seconds is not None and self._arrivals.is_attended(sealed_ticket):
                self._metrics.join_to_attended.observe(seconds)
