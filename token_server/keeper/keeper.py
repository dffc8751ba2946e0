"""The keeper: looks at rooms whenever something may have changed, until they are attended.

Loops of one web process (loops.py): some that look, some that peek whether anybody has come, one
that sweeps over the live rooms where it is the machine's sweeper, one that beats. Started after
fork, and never in the way of a request.
"""

import time
from collections.abc import Sequence
from threading import Event
from typing import Protocol

from token_server.errors import KeeperStuckError, TokenServerError
from token_server.keeper import sweeping
from token_server.keeper.following import Awaited
from token_server.keeper.keeper_records import KeeperMetrics, KeeperTimeline
from token_server.keeper.life_watch import LifeWatch
from token_server.keeper.livekit_silence import Silence
from token_server.keeper.look_queue import Agenda
from token_server.keeper.looking import Looking, Looks
from token_server.keeper.loops import Loop
from token_server.keeper.observed_room import LookReport
from token_server.keeper.schedule import LOOKERS, Schedule
from token_server.keeper.sweeping import Sweeping
from token_server.livekit.port import (
    AGENT_IDENTITY_PREFIX,
    LiveKit,
    Participant,
    ParticipantKind,
    Room,
)
from token_server.state.timeline import NOT_KEPT, Timeline
from token_server.telemetry.metrics import Metrics
from token_server.telemetry.turns import STUCK_AFTER

# A peek is one call to LiveKit; so many round trips of 50 ms suffice for all peeks of a second.
_PEEKERS = 8
# Seconds between two signs of life; a lease of redis_state.py outlasts several.
_BEAT_EVERY = 0.5
# Seconds until the next sweep after one that LiveKit did not answer.
_SWEEP_AGAIN = 1.0
# Seconds that all loops have to stop; a call to LiveKit may last longer.
_STOPS_WITHIN = 1.0
# Seconds. Webhooks count as working while one has come within this time; a room that we made
# has to have brought its own (room_started: livekit-behaviour 53) this long before or after its
# token.
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

    def count_caller(self, participant_sid: str) -> bool:
        """Become the one that counts a phone caller; False if any process has counted them."""

    def beat(self) -> None:
        """Give a sign of life, and hear from the others."""


class Keeper:
    """Keeps every room that it hears of attended."""

    def __init__(  # noqa: PLR0913, PLR0917 (everything arrives as an argument)
        self,
        livekit: LiveKit,
        looker: Looks,
        lives: LifeWatch,
        shared: SharedState,
        metrics: Metrics,
        timeline: Timeline = NOT_KEPT,
        *,
        attend_rooms: Sequence[str] = (),
    ) -> None:
        self._livekit, self._looker, self._lives, self._shared = livekit, looker, lives, shared
        self._timeline = KeeperTimeline(timeline)
        self._counts, self._turns = metrics, metrics.turns
        self._metrics = KeeperMetrics(metrics, shared.count_caller)
        self._agenda, self._sweeping = Agenda(Schedule()), Sweeping(attend_rooms)
        self._silence = Silence()
        self._looking = Looking(self._agenda, looker, self._silence, self._metrics, self._looked)
        self._tell = self._looking.tell
        self._stopping = Event()
        self._loops: list[Loop] = []

    def start(self) -> None:
        """Start looking and sweeping, in threads of this process."""
        looking = self._looking
        turns = [("look", looking.look)] * LOOKERS + [("peek", looking.peek)] * _PEEKERS
        turns += [("sweep", self._sweep), ("beat", self._beat), ("life", self._ask)]
        self._loops = [Loop(name, turn, self._stopping, self._counts) for name, turn in turns]
        for loop in self._loops:
            loop.start()

    def stop(self) -> None:
        """Finish the looks in hand and stop; whatever is left is found by the next sweep."""
        self._stopping.set()
        self._agenda.close()
        self._lives.close()
        ends_at = time.monotonic() + _STOPS_WITHIN
        for loop in self._loops:
            loop.join(max(0.0, ends_at - time.monotonic()))
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

        if is_new:
            self._looker.room_made(room.room_name)
        awaited = Awaited(ticket=sealed_ticket, seconds=seconds, has_webhooks=has_webhooks)
        self._agenda.follow(room.room_name, awaited)
        self._metrics.token_issued(sealed_ticket)

    def token_issued(self) -> None:
        """Count a token whose human waits for nobody."""
        self._counts.tokens_issued.inc()

    def webhook_arrived(self, created_at: float) -> None:
        """Know that webhooks reach us."""
        self._shared.webhook_arrived()
        age = self._livekit.now().timestamp() - created_at if created_at else None
        self._metrics.webhook_arrived(age)

    def participant_changed(
        self, room_name: str, participant: Participant, *, is_here: bool
    ) -> None:
        """Look at a room now: somebody has come or gone."""
        self._timeline.participant_changed(room_name, participant, is_here=is_here)
        if participant.kind is ParticipantKind.AGENT:
            now = self._livekit.now()
            self._looker.sightings.note(room_name, participant, is_here=is_here, now=now)
        if participant.kind is not ParticipantKind.OTHER:
            self._agenda.look_now(room_name)

    def worker_has_room(self, agent_name: str) -> None:
        """Look at the rooms that wait for an agent of this name: a worker can be asked for it."""
        for room_name in self._metrics.waiting_for(agent_name):
            self._agenda.look_now(room_name)

    def track_published(self, room_name: str, participant: Participant) -> None:
        """Note that somebody can be heard or seen; look now where a phone may ring until then."""
        self._timeline.track_published(room_name, participant)
        is_agent = participant.participant_identity.startswith(AGENT_IDENTITY_PREFIX)
        if self._metrics.waits(room_name) or (is_agent and self._sweeping.attends(room_name)):
            self._agenda.look_now(room_name)

    def room_ended(self, room_name: str, room_sid: str) -> None:
        """Note that a room is no more."""
        self._timeline.room_ended(room_name, room_sid)

    def check_alive(self) -> None:
        """Ask whether the loops turn; LiveKit's silence stops none.

        Raises:
            KeeperStuckError: One has not turned for too long.
        """
        if stuck := self._turns.stuck():
            raise KeeperStuckError(
                f"The keeper is stuck: no turn of {', '.join(stuck)} for {STUCK_AFTER:.0f} s"
            )

    def _looked(self, room_name: str, report: LookReport) -> None:
        """Take in what a look has shown."""
        self._metrics.looked(room_name, report)
        self._timeline.looked(room_name, report)
        self._lives.watch(room_name, report.watched)
        self._sweeping.looked(room_name, has_human=report.has_human)

    def _ask(self) -> float:
        return self._lives.ask_due(self._agenda.look_now)

    def _beat(self) -> float:
        self._metrics.beat(self._agenda.rooms_followed, self._livekit.now())
        self._shared.beat()
        self._timeline.flush()
        return _BEAT_EVERY

    def _sweep(self) -> float:
        if not self._shared.is_sweeper():
            self._tell(self._silence.swept())
            return sweeping.EVERY
        asked_at = time.monotonic()
        try:
            rooms = self._livekit.list_rooms()
        except TokenServerError as error:
            self._tell(self._silence.sweep_failed(), error)
            return _SWEEP_AGAIN
        took = time.monotonic() - asked_at
        self._tell(self._silence.swept())
        return self._look_into(rooms, took)

    def _look_into(self, rooms: Sequence[Room], took: float) -> float:
        """Have live rooms looked at; return the seconds until they are to be listed again."""
        fresh_since = time.time() - _WEBHOOKS_FRESH
        has_webhooks = self._shared.webhook_last_arrived() >= fresh_since
        now = self._livekit.now()
        chosen = self._sweeping.choose(rooms, now, took, has_webhooks=has_webhooks)
        for room_name in chosen.at_once:
            self._agenda.look_now(room_name)
        for number, room_name in enumerate(chosen.in_turn):
            self._agenda.look_in(room_name, number * sweeping.PACE)
        return chosen.pause
