"""The keeper: looks at rooms whenever something may have changed, until they are attended.

Loops of one web process (loops.py): some that look, some that peek whether anybody has come, one
that sweeps over its share of the live rooms, one that asks agents for signs of life, one that
beats. Started after fork, and never in the way of a request.
"""

import time
from collections.abc import Sequence
from threading import Event
from typing import Protocol

from token_server.errors import KeeperStuckError, LiveKitBusyError, TokenServerError
from token_server.keeper import sweeping
from token_server.keeper.following import Awaited
from token_server.keeper.keeper_records import KeeperMetrics, KeeperTimeline
from token_server.keeper.life_watch import LifeWatch
from token_server.keeper.livekit_silence import Silence
from token_server.keeper.look_queue import Agenda
from token_server.keeper.looking import Looking, Looks, longer
from token_server.keeper.loops import Loop
from token_server.keeper.observed_room import LookReport
from token_server.keeper.schedule import LOOKERS, Schedule
from token_server.keeper.shares import Meeting
from token_server.keeper.sweep_loop import SweepLoop
from token_server.keeper.webhook_proof import SharedTimes, WebhookProof
from token_server.livekit.pace import Pace
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


class SharedState(Meeting, SharedTimes, Protocol):
    """What the token servers of one LiveKit share, as far as they can."""

    def resign(self) -> None:
        """Leave to the others what this process had."""

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
        pace: Pace | None = None,
    ) -> None:
        self._livekit, self._looker, self._lives, self._shared = livekit, looker, lives, shared
        self._timeline = KeeperTimeline(timeline)
        self._counts, self._turns = metrics, metrics.turns
        self._metrics = KeeperMetrics(metrics, shared.count_caller)
        self._agenda = Agenda(Schedule(pace=pace))
        self._silence, self._webhooks = Silence(), WebhookProof(shared)
        self._sweeps = SweepLoop(
            livekit, shared, self._agenda, lives, self._webhooks.come_now, attend_rooms, pace=pace
        )
        self._looking = Looking(
            self._agenda, looker, self._silence, self._metrics, self._looked, self._look_failed
        )
        self._stopping = Event()
        self._loops: list[Loop] = []

    def start(self) -> None:
        """Start looking and sweeping, in threads of this process."""
        looking = self._looking
        turns = [("look", looking.look)] * LOOKERS + [("peek", looking.peek)] * _PEEKERS
        turns += [("beat", self._beat), ("sweep", self._sweep), ("life", self._ask)]
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
        has_webhooks = self._webhooks.for_room(is_new=is_new)
        if is_new:
            self._looker.room_made(room.room_name)
        awaited = Awaited(ticket=sealed_ticket, seconds=seconds, has_webhooks=has_webhooks)
        self._agenda.follow(room.room_name, awaited)
        self._metrics.token_issued(sealed_ticket)

    def token_issued(self) -> None:
        """Count a token whose human waits for nobody."""
        self._counts.tokens_issued.inc()

    def webhook_arrived(self, event: str, created_at: float) -> None:
        """Know that webhooks reach us."""
        self._webhooks.arrived(event)
        age = self._livekit.now().timestamp() - created_at if created_at else None
        self._metrics.webhook_arrived(event, age)

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
        if self._metrics.waits(room_name) or (is_agent and self._sweeps.attends(room_name)):
            self._agenda.look_now(room_name)

    def room_ended(self, room_name: str, room_sid: str) -> None:
        """Note that a room is no more."""
        self._looker.room_ended(room_name)
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
        self._webhooks.looked(report.view.participants, self._livekit.now())
        self._sweeps.looked(room_name, report.view.watched, has_human=report.view.has_human)

    def _look_failed(self, room_name: str) -> None:
        """Take in that a look has shown nothing."""
        self._metrics.look_failed()
        self._sweeps.look_failed(room_name)

    @property
    def members(self) -> int:
        """How many processes are there, this one included."""
        return self._sweeps.members

    def _ask(self) -> float:
        return self._lives.ask_due(self._agenda.look_now)

    def _beat(self) -> float:
        self._metrics.beat(self._agenda.rooms_followed, self._livekit.now())
        self._metrics.reached(
            self._sweeps.rooms_mine, self._sweeps.oldest_look(), self._lives.longest_interval()
        )
        self._shared.beat()
        self._sweeps.beat()
        self._timeline.flush()
        return _BEAT_EVERY

    def _sweep(self) -> float:
        try:
            has_listed = self._sweeps.list_if_due()
        except LiveKitBusyError as error:
            return longer(error, sweeping.EVERY)
        except TokenServerError as error:
            self._looking.tell(self._silence.sweep_failed(), error)
            return _SWEEP_AGAIN
        if has_listed:
            self._looking.tell(self._silence.swept())
        self._sweeps.choose()
        return sweeping.TICK
