"""Puts the parts together, from settings to a running application. The adapters are known here."""

import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from prometheus_client import CollectorRegistry

from shared_settings.settings import AgentDispatch
from token_server.auth.operators import Operators
from token_server.http_api import metrics_endpoint, rooms_endpoint, workers_endpoint
from token_server.http_api.app import Shared, create_app
from token_server.http_api.room_releases import RoomReleases
from token_server.http_api.room_watch import RoomWatch
from token_server.http_api.workers_endpoint import WorkerWords
from token_server.keeper.agent_life import LifeLimits
from token_server.keeper.first_sends import MADE_WITHIN, FirstSends
from token_server.keeper.keeper import Keeper
from token_server.keeper.life_watch import LifeWatch
from token_server.keeper.look_at_room import Looker
from token_server.keeper.wanted_agents import Policy
from token_server.livekit.measured_livekit import MeasuredLiveKit
from token_server.livekit.quota import Quota
from token_server.livekit.twirp import Twirp
from token_server.livekit.twirp_livekit import RPC_TIMEOUTS, TwirpLiveKit
from token_server.settings import Settings
from token_server.state.machine_state import MachineState, file_lock
from token_server.state.sessions import SessionStore
from token_server.state.sessions_file import SessionsFile
from token_server.state.shared_folder import find_shared_folder, fingerprint
from token_server.state.timeline import Shelf, Timeline
from token_server.state.timeline_file import TimelineFile, remove_timelines
from token_server.state.workers import WorkerBook, WorkerStore, count_states
from token_server.state.workers_file import WorkersFile
from token_server.telemetry.metrics import Metrics
from token_server.tokens.tickets import TicketSealer

if TYPE_CHECKING:
    from token_server.state.redis_link import RedisLink
    from token_server.state.redis_state import RedisState
    from token_server.tracing.traced import Tracing


@dataclass(frozen=True)
class TokenServer:
    """The WSGI application, and what is to be started in the process that serves it."""

    app: Flask
    keeper: Keeper
    tracing: "Tracing | None" = None
    old_timelines: Path | None = None

    def start(self) -> None:
        """Keep rooms attended, and deliver traces; nothing is left of timelines that are off."""
        if self.old_timelines:
            remove_timelines(self.old_timelines)
        if self.tracing:
            self.tracing.start()
        self.keeper.start()

    def stop(self) -> None:
        """Finish the looks in hand, and deliver what they have left."""
        self.keeper.stop()
        if self.tracing:
            self.tracing.stop()


def compose(
    settings: Settings, metrics_folder: Path | None = None, *, is_traced: bool = False
) -> TokenServer:
    """Build a token server; nothing is started or connected yet.

    Args:
        settings: What the operator wants.
        metrics_folder: Where this process and its siblings count; None if it has none.
        is_traced: Whether it makes traces; where they go, OpenTelemetry's variables say.
    """
    metrics = Metrics(CollectorRegistry(), metrics_folder)
    sealer = TicketSealer(*settings.webhook_secrets.values())
    tracing = _tracing(sealer) if is_traced else None

    def members() -> int:
        # The keeper, built below, knows who is there; at first it has met nobody.
        return max(settings.web_concurrency, keeper.members)

    quota = Quota(settings.requests_per_minute, members)
    twirp = TwirpLiveKit(
        Twirp.of(settings, pace=quota), Twirp.of(settings, RPC_TIMEOUTS, pace=quota)
    )
    livekit = tracing.livekit(twirp, metrics) if tracing else MeasuredLiveKit(twirp, metrics)
    folder = find_shared_folder(settings.livekit_url, settings.livekit_api_key).path
    timelines = folder / "timeline.sqlite"
    shared, shelf, redis = _shared_state(settings, folder, timelines, metrics)
    book = WorkerBook(
        _worker_store(settings, folder, redis),
        time.time,
        # The keeper is built of it, below.
        on_worker_free=lambda name: keeper.worker_has_room(name),  # noqa: PLW0108
    )
    process = f"{socket.gethostname()}:{os.getpid()}"
    timeline = Timeline(livekit.now, process, shelf if settings.timeline else None)
    policy = Policy(
        agent_names=settings.allowed_agent_names,
        attend_rooms=settings.attend_rooms,
        agent_rules=settings.agent_rules,
    )
    limits = LifeLimits(
        silent=settings.agent_silent_seconds, blocked=settings.agent_blocked_seconds
    )
    lives = LifeWatch(livekit, limits, pace=quota)
    first_sends = FirstSends(shared) if _rooms_begin_without_agents(settings) else None
    looker = Looker(
        livekit, shared, sealer, policy, lives, timeline, workers=book, first_sends=first_sends
    )
    looks = tracing.looks(looker) if tracing else looker
    keeper = Keeper(
        livekit,
        looks,
        lives,
        shared,
        metrics,
        timeline,
        attend_rooms=settings.attend_rooms,
        pace=quota,
    )
    sessions = _session_store(settings, folder, redis)
    together = Shared(redis=redis, timeline=timeline, sessions=sessions)
    app = create_app(settings, livekit, keeper, together)
    operators = Operators(settings.operator_keys, is_demo=settings.demo)
    app.register_blueprint(metrics_endpoint.create_blueprint(operators, metrics))
    app.wsgi_app = metrics_endpoint.CountRefused(app.wsgi_app, metrics)  # type: ignore[method-assign]
    watch = RoomWatch(livekit, sealer, policy, timeline)
    app.register_blueprint(rooms_endpoint.create_blueprint(operators, watch))
    releases = RoomReleases(
        livekit=livekit, locks=shared, sealer=sealer, policy=policy, timeline=timeline
    )
    app.register_blueprint(rooms_endpoint.create_releases_blueprint(operators, releases))
    _add_workers(app, settings, operators, book, metrics)
    if tracing:
        tracing.trace_requests(app)
    return TokenServer(app, keeper, tracing, None if settings.timeline else timelines)


def _rooms_begin_without_agents(settings: Settings) -> bool:
    """Whether a room that we make has no agent yet, and is not over before its human comes.

    Where it is, their token makes it anew, with its agent (livekit-behaviour 1).
    """
    is_on_join = settings.agent_dispatch is AgentDispatch.JOIN
    return is_on_join and settings.room_empty_timeout.total_seconds() > MADE_WITHIN


def _add_workers(
    app: Flask, settings: Settings, operators: Operators, book: WorkerBook, metrics: Metrics
) -> None:
    """Let workers tell, and operators and Prometheus see."""
    names = settings.known_agent_names
    words = WorkerWords(settings.webhook_secrets, book)
    app.register_blueprint(workers_endpoint.create_blueprint(operators, words, book, names))
    metrics.workers.count = lambda: count_states(book.workers(), names, time.time())


def _worker_store(settings: Settings, folder: Path, redis: "RedisLink | None") -> WorkerStore:
    """Choose who knows of workers: this machine, or all that share a Redis."""
    if redis is None:
        # Beside the folder: in it, other versions take nothing but files.
        return WorkersFile(folder.with_name(f"{folder.name}-workers"))
    from token_server.state.workers_redis import WorkersRedis  # noqa: PLC0415 (imports redis-py)

    return WorkersRedis(redis, _redis_prefix(settings))


def _session_store(settings: Settings, folder: Path, redis: "RedisLink | None") -> SessionStore:
    """Choose who knows of a person's rooms: this machine, or all that share a Redis."""
    # Beside the folder, as the workers' words are.
    machine = SessionsFile(folder.with_name(f"{folder.name}-sessions"))
    if redis is None:
        return machine
    from token_server.state.sessions_redis import SessionsRedis  # noqa: PLC0415 (imports redis-py)

    return SessionsRedis(redis, _redis_prefix(settings), machine)


def _redis_prefix(settings: Settings) -> str:
    server = fingerprint(settings.livekit_url, settings.livekit_api_key)
    return f"livekit-token-server:{server}:"


def _tracing(sealer: TicketSealer) -> "Tracing":
    # Who traces nothing loads none of OpenTelemetry.
    from token_server.tracing.delivery import Delivery  # noqa: PLC0415
    from token_server.tracing.traced import Tracing  # noqa: PLC0415

    return Tracing(Delivery(), sealer)


def _shared_state(
    settings: Settings, folder: Path, timelines: Path, metrics: Metrics
) -> "tuple[MachineState | RedisState, Shelf, RedisLink | None]":
    """Choose how far locks and timelines reach: the machine, or all that share a Redis."""
    machine = MachineState(folder)
    if not settings.redis_url:
        return machine, TimelineFile(timelines, settings.timeline), None
    # redis-py takes half a second to import.
    from token_server.state.redis_link import RedisLink  # noqa: PLC0415
    from token_server.state.redis_state import RedisState  # noqa: PLC0415
    from token_server.state.timeline_redis import TimelineRedis  # noqa: PLC0415

    prefix = _redis_prefix(settings)
    speaker = file_lock(folder / "redis-silence.lock")
    link = RedisLink(settings.redis_url, speaker, tell=metrics.redis_unavailable.set)
    return RedisState(machine, link, prefix), TimelineRedis(link, prefix, settings.timeline), link
