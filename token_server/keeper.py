"""The keeper: looks at rooms whenever something may have changed, until they are attended.

Threads of one web process: a few that look, and one that sweeps over the live rooms where it is
the machine's sweeper. Started after fork, and never in the way of a request.
"""

import logging
import time
from threading import Event, Thread
from typing import Protocol

from token_server.agenda import Agenda
from token_server.errors import TokenServerError
from token_server.keeper_metrics import KeeperMetrics
from token_server.keeper_timeline import KeeperTimeline
from token_server.metrics import Metrics
from token_server.observation import LookReport
from token_server.rooms import Participant, ParticipantKind, Room, Rooms
from token_server.schedule import Awaited, Looked, Schedule
from token_server.sightings import Sightings
from token_server.timeline import NOT_KEPT, Timeline

logger = logging.getLogger(__name__)

# A look is a few calls to LiveKit; on Cloud each is a round trip of some 50 ms.
_LOOKING_THREADS = 4
# Seconds between two sweeps, and of one sweep per room: 10 looks a second at most.
_SWEEP_EVERY = 5.0
_SWEEP_PACE = 0.1
# Seconds between two signs of life; a lease of redis_state.py outlasts several.
_BEAT_EVERY = 0.5
# Seconds until the next try after LiveKit did not answer.
_RETRY_AFTER = 1.0
# Seconds. Webhooks count as working while one has come within this time; a room that we made
# has to have brought its own (room_started; facts, 20) this long before or after its token.
_WEBHOOKS_FRESH = 30.0
_WEBHOOK_DUE = 0.5


class SharedState(Protocol):
    """What the token servers of one LiveKit share, as far as they can."""

    def is_sweeper(self) -> bool:
        """Become, or stay, the one process that sweeps; False if another is."""

    def resign(self) -> None:
        """Let another process sweep."""

    def webhook_arrived(self) -> None:
        """Remember that LiveKit's webhooks reach us."""

    def webhook_last_arrived(self) -> float:
        """Return when one last reached any process (Unix seconds); 0 if none has."""

    def beat(self) -> None:
        """Give a sign of life, and hear from the others."""


class Looks(Protocol):
    """Looks at rooms, from any thread: a Looker, or one whose looks are traced."""

    sightings: Sightings

    def look(self, room_name: str) -> LookReport:
        """Bring the room as near to attended as can be done now."""


class Keeper:
    """Keeps every room that it hears of attended."""

    def __init__(
        self,
        rooms: Rooms,
        looker: Looks,
        shared: SharedState,
        metrics: Metrics,
        timeline: Timeline = NOT_KEPT,
    ) -> None:
        self._rooms, self._looker, self._shared = rooms, looker, shared
        self._timeline = KeeperTimeline(timeline)
        self._metrics = KeeperMetrics(metrics)
        self._agenda = Agenda(Schedule())
        self._stopping = Event()
        self._threads: list[Thread] = []
        self._is_livekit_silent = False

    def start(self) -> None:
        """Start looking and sweeping, in threads of this process."""
        targets = [self._look_on] * _LOOKING_THREADS + [self._sweep_on, self._beat_on]
        self._threads = [Thread(target=target, daemon=True) for target in targets]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the looks in hand and stop; whatever is left is found by the next sweep."""
        self._stopping.set()
        self._agenda.close()
        for thread in self._threads:
            thread.join(timeout=_RETRY_AFTER)
        self._timeline.flush()
        self._shared.resign()

    def follow(self, room: Room, sealed_ticket: str, seconds: float, *, is_new: bool) -> None:
        """Look at a room until the human with this ticket is in it, or the token has expired."""
        issued_at = time.time()

        def has_webhooks() -> bool:
            now = time.time()
            must_have_come = is_new and now - issued_at > _WEBHOOK_DUE
            fresh_since = issued_at - _WEBHOOK_DUE if must_have_come else now - _WEBHOOKS_FRESH
            return self._shared.webhook_last_arrived() >= fresh_since

        awaited = Awaited(ticket=sealed_ticket, seconds=seconds, has_webhooks=has_webhooks)
        self._agenda.follow(room.room_name, awaited)
        self._metrics.token_issued(sealed_ticket)

    def webhook_arrived(self, created_at: float) -> None:
        """Know that webhooks reach us."""
        self._shared.webhook_arrived()
        age = self._rooms.now().timestamp() - created_at if created_at else None
        self._metrics.webhook_arrived(age)

    def participant_changed(
        self, room_name: str, participant: Participant, *, is_here: bool
    ) -> None:
        """Look at a room now: somebody has come or gone."""
        self._timeline.participant_changed(room_name, participant, is_here=is_here)
        if participant.kind is ParticipantKind.AGENT:
            self._looker.sightings.note(room_name, participant)
        if participant.kind is not ParticipantKind.OTHER:
            self._agenda.look_now(room_name)

    def track_published(self, room_name: str, participant: Participant) -> None:
        """Note that somebody can be heard or seen."""
        self._timeline.track_published(room_name, participant)

    def room_ended(self, room_name: str, room_sid: str) -> None:
        """Note that a room is no more."""
        self._timeline.room_ended(room_name, room_sid)

    def _look_on(self) -> None:
        while (room_name := self._agenda.take()) is not None:
            looked = Looked(again_in=_RETRY_AFTER)
            try:
                looked = report = self._looker.look(room_name)
                self._metrics.looked(room_name, report)
                self._timeline.looked(room_name, report)
                self._livekit_answers(error=None)
            except TokenServerError as error:
                self._metrics.look_failed()
                logger.debug("A look failed", extra={"room": room_name, "reason": str(error)})
                self._livekit_answers(error, room_name)
            except Exception:
                self._metrics.look_failed()
                logger.exception("A look failed", extra={"room": room_name})
            finally:
                self._agenda.finish(room_name, looked)

    def _beat_on(self) -> None:
        while not self._stopping.is_set():
            self._metrics.beat(self._agenda.rooms_followed, self._rooms.now())
            try:
                self._shared.beat()
                self._timeline.flush()
            except Exception:
                logger.exception("A beat failed")
            self._stopping.wait(_BEAT_EVERY)

    def _sweep_on(self) -> None:
        while not self._stopping.is_set():
            looks = self._sweep() if self._shared.is_sweeper() else 0
            self._stopping.wait(max(_SWEEP_EVERY, looks * _SWEEP_PACE))

    def _sweep(self) -> int:
        """Have every room with somebody in it looked at; return how many these are.

        Those with the fewest people first: a human who waits for an agent is in a room of one.
        """
        try:
            rooms = self._rooms.list_rooms()
        except TokenServerError as error:
            self._livekit_answers(error)
            return 0
        except Exception:
            logger.exception("A sweep failed")
            return 0
        peopled = sorted(
            (room for room in rooms if room.num_participants), key=lambda r: r.num_participants
        )
        for number, room in enumerate(peopled):
            self._agenda.look_in(room.room_name, number * _SWEEP_PACE)
        return len(peopled)

    def _livekit_answers(self, error: TokenServerError | None, room_name: str = "") -> None:
        """Log once when LiveKit falls silent, by which room, and once when it is back."""
        is_silent = error is not None
        if is_silent != self._is_livekit_silent:
            self._is_livekit_silent = is_silent
            if error:
                room = {"room": room_name} if room_name else {}
                logger.warning("Rooms cannot be looked at: %s", error, extra=room)
            else:
                logger.info("Rooms can be looked at again")
