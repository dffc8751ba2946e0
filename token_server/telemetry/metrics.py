"""What this server counts for Prometheus; docs/metrics.md says what each name means and misses.

No label grows with rooms or people. Several gunicorn processes count into files of one folder
(metrics_folder.py), and whichever process is asked adds them up.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from token_server.telemetry.turns import LOOPS, Turns
from token_server.telemetry.worker_gauge import WorkerGauge

LOOK_OUTCOMES = ("done", "waiting", "failed")
# How many agents in a row have failed a human.
FAILURES = ("1", "2", "3+")
DEATHS = ("silent", "blocked", "gone")
CALL_OUTCOMES = ("ok", "refused", "unavailable", "limited")
# HTTP statuses that are usual here: a series has to be there at 0 for its first rise to be seen.
TOKEN_REFUSALS = (400, 401, 403, 413, 415, 429, 500, 503)
WEBHOOK_REFUSALS = (400, 401, 404, 413)
# The events that make the server look at a room, each a series of its own.
WEBHOOK_EVENTS = (
    "participant_joined",
    "participant_left",
    "participant_connection_aborted",
    "track_published",
)
# LiveKit's methods that we call.
METHODS = (
    "CreateRoom",
    "ListRooms",
    "ListParticipants",
    "RemoveParticipant",
    "ListDispatch",
    "CreateDispatch",
    "DeleteDispatch",
    "PerformRpc",
    "UpdateParticipant",
)
_NAMESPACE = "token_server"
# Seconds. A join is attended after 0.3 to 0.7 s where all is well; the later bounds are those of
# decisions.py's windows and of a worker that was busy or away.
_ATTENDED = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 8.0, 12.0, 20.0, 30.0, 60.0)
# LiveKit gives an event's time in whole seconds, and drops it after 30 s.
_AGES = (1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 30.0, 60.0)
# Our time-out is 5 s (twirp.py).
_CALLS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The metrics of one process, in a registry that holds nothing else.

    Args:
        registry: Holds them.
        folder: Where this process and its siblings count; None if it has none.
        clock: Seconds that never go back, for the keeper's turns.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry, self._folder, self._clock = registry, folder, clock
        self._counter = partial(Counter, namespace=_NAMESPACE, registry=registry)
        # Each gauge says whether it is the sum, largest or smallest of the processes that live.
        gauge = partial(Gauge, namespace=_NAMESPACE, registry=registry)
        self._sum = partial(gauge, multiprocess_mode="livesum")
        self._largest = partial(gauge, multiprocess_mode="livemax")
        self._smallest = partial(gauge, multiprocess_mode="livemin")
        self._histogram = partial(Histogram, namespace=_NAMESPACE, registry=registry)
        self.workers = WorkerGauge()
        registry.register(self.workers)
        self._count_tokens_and_webhooks()
        self._count_looks()
        self._count_calls()
        self._count_turns()

    def _count_tokens_and_webhooks(self) -> None:
        self.tokens_issued = self._counter("tokens_issued", "Tokens that were issued.")
        self.tokens_refused = self._counter(
            "tokens_refused", "Requests to /token that were refused.", ["status"]
        )
        for status in TOKEN_REFUSALS:
            self.tokens_refused.labels(status)
        self.rooms_followed = self._sum(
            "rooms_followed", "Rooms that are looked at until the human of a token has come."
        )
        self.humans_joined = self._counter("humans_joined", "Humans seen in their room.")
        self.join_to_attended = self._histogram(
            "join_to_attended_seconds", "From a human's join to their agent's.", buckets=_ATTENDED
        )
        self.phone_join_to_heard = self._histogram(
            "phone_join_to_heard_seconds",
            "From a phone caller's join to an agent that they hear.",
            buckets=_ATTENDED,
        )
        # One process that is cut off is enough.
        self.redis_unavailable = self._largest(
            "redis_unavailable", "1 while the Redis of REDIS_URL does not answer, else 0."
        )
        # Any process may have seen that room last; each says only what its own looks have shown.
        self.longest_unattended = self._largest(
            "longest_unattended_seconds",
            "Longest that a human has been without their agent who is so now.",
        )
        self.webhooks_received = self._counter("webhooks_received", "Webhooks that were genuine.")
        self.webhook_events = self._counter(
            "webhook_events", "Genuine webhooks that make the server look at a room.", ["event"]
        )
        for event in WEBHOOK_EVENTS:
            self.webhook_events.labels(event)
        self.webhooks_refused = self._counter(
            "webhooks_refused", "Requests to /webhook that were refused.", ["status"]
        )
        for status in WEBHOOK_REFUSALS:
            self.webhooks_refused.labels(status)
        self.webhook_age = self._histogram(
            "webhook_age_seconds", "From a webhook's event to its arrival.", buckets=_AGES
        )

    def _count_looks(self) -> None:
        self.rooms_swept = self._sum(
            "rooms_swept", "Live rooms that are this process's to look after."
        )
        # The largest of the processes that live: each answers for its own rooms.
        self.sweep_interval = self._largest(
            "sweep_interval_seconds",
            "Seconds since the last good look at the room where it is the longest ago.",
        )
        self.life_interval = self._largest(
            "life_interval_seconds",
            "Seconds since the question for a sign of life to whom it is the longest ago.",
        )
        self.looks = self._counter("looks", "Looks at rooms.", ["outcome"])
        for outcome in LOOK_OUTCOMES:
            self.looks.labels(outcome)
        self.decisions = self._counter("decisions", "Decisions of looks.", ["decision", "reason"])
        self.dispatches_created = self._counter("dispatches_created", "Dispatches created.")
        self.dispatches_repaired = self._counter(
            "dispatches_repaired", "Dispatches that replaced one that did not deliver."
        )
        self.agents_dead = self._counter(
            "agents_dead", "Agents that LiveKit listed and that were found dead.", ["death"]
        )
        for death in DEATHS:
            self.agents_dead.labels(death)
        self.agents_failed = self._counter(
            "agents_failed",
            "Agents that left or died beside their human, or whose job was refused or raised.",
            ["in_a_row"],
        )
        for in_a_row in FAILURES:
            self.agents_failed.labels(in_a_row)
        self.duplicates_removed = self._counter("duplicates_removed", "Second agents put out.")

    def _count_calls(self) -> None:
        calls = self._counter("livekit_calls", "Calls to LiveKit.", ["method", "outcome"])
        seconds = self._histogram(
            "livekit_call_seconds", "How long calls to LiveKit took.", ["method"], buckets=_CALLS
        )
        # Looked up for every token: prometheus_client's own search takes as long as the count.
        self._calls = {
            (method, outcome): calls.labels(method, outcome)
            for method in METHODS
            for outcome in CALL_OUTCOMES
        }
        self._call_seconds = {method: seconds.labels(method) for method in METHODS}

    def _count_turns(self) -> None:
        # The smallest of the processes that live: one that is stuck must not hide behind another.
        last_turn = self._smallest(
            "last_turn_timestamp_seconds",
            "When each loop of the keeper last turned (Unix seconds).",
            ["loop"],
        )
        self.loop_deaths = self._counter(
            "loop_deaths", "Loops of the keeper that died and were started again.", ["loop"]
        )
        for loop in LOOPS:
            self.loop_deaths.labels(loop)
        shown = {loop: last_turn.labels(loop) for loop in LOOPS}

        def show(loop: str, seconds_ago: float) -> None:
            shown[loop].set(time.time() - seconds_ago)

        self.turns = Turns(show, self._clock)

    def livekit_called(self, method: str, outcome: str, seconds: float) -> None:
        """Count a call to LiveKit; a loop that has waited for it goes on."""
        self._calls[method, outcome].inc()
        self._call_seconds[method].observe(seconds)
        self.turns.turned()

    def exposition(self) -> bytes:
        """Return the metrics of all processes in Prometheus' text format, version 0.0.4."""
        if self._folder is None:
            return generate_latest(self._registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody, str(self._folder))  # type: ignore[no-untyped-call]
        everybody.register(self.workers)
        return generate_latest(everybody)
