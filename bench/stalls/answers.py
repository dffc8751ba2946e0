"""What requests make the process do, but for what they ask of LiveKit."""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import jwt
from flask import Flask
from prometheus_client import CollectorRegistry

from bench.stalls.calls import PARTICIPANTS, ROOMS
from bench.stalls.still_rooms import StillRooms
from shared_settings.settings import TokenAuth
from tests.issuer import new_key
from token_server.auth.operators import Operators
from token_server.http_api import openapi, rooms_endpoint
from token_server.http_api.room_watch import RoomWatch
from token_server.keeper.wanted_agents import Policy
from token_server.livekit.port import AgentOrder
from token_server.state.timeline import MOST_ENTRIES, Entry, Event, Timeline
from token_server.state.timeline_file import TimelineFile
from token_server.telemetry.metrics import METHODS, Metrics
from token_server.tokens.tickets import Ticket, TicketSealer

_OPERATOR_KEY = "operator" * 4
_PROCESSES = 16
_POLICY = Policy(agent_names=("tutor",))
Works = Mapping[str, Callable[[], Callable[[], object]]]


def works(folder: Path) -> Works:
    """Return what requests are answered with."""
    return {**_rooms(folder), **_logins(), **_metrics(folder), **_openapi()}


def _rooms(folder: Path) -> Works:
    sealer = TicketSealer("secret" * 8)
    rooms = StillRooms(ROOMS, PARTICIPANTS, partial(_ticket, sealer))
    shelf = TimelineFile(folder / "longest.sqlite", timedelta(hours=1))
    timeline = Timeline(lambda: datetime.now(UTC), "web:1", shelf)
    facts = {"participant_identity": "alice" * 20, "reason": "because " * 10}
    timeline.add(
        Entry(rooms.big, time.time(), Event.JOINED, f"PA_{n}", facts)  # type: ignore[arg-type]
        for n in range(MOST_ENTRIES)
    )
    timeline.flush()
    app = Flask(__name__)
    watch = RoomWatch(rooms, sealer, _POLICY, timeline)
    operators = Operators([_OPERATOR_KEY], is_demo=False)
    app.register_blueprint(rooms_endpoint.create_blueprint(operators, watch))
    ask = partial(app.test_client().get, headers={"Authorization": f"Bearer {_OPERATOR_KEY}"})
    return {
        f"GET /rooms, {ROOMS:,} rooms": lambda: partial(ask, "/rooms"),
        f"GET /rooms/NAME, {PARTICIPANTS:,} participants, {MOST_ENTRIES} entries": lambda: partial(
            ask, f"/rooms/{rooms.big}"
        ),
    }


def _ticket(sealer: TicketSealer, room_name: str, participant_identity: str) -> str:
    return sealer.seal(Ticket(room_name, participant_identity, AgentOrder(agent_name="tutor")))


def _logins() -> Works:
    found = {}
    for algorithm in ("RS256", "ES256", "EdDSA"):
        key = new_key(algorithm)
        token = jwt.encode({"sub": "alice"}, key, algorithm=algorithm)
        check = partial(jwt.decode, token, key.public_key(), algorithms=[algorithm])
        found[f"a login token's signature, {algorithm}"] = partial(_just, check)
    return found


def _metrics(folder: Path) -> Works:
    metrics = Metrics(CollectorRegistry(), folder)
    for method in METHODS:
        metrics.livekit_called(method, "ok", 0.1)
    for path in folder.glob(f"*_{os.getpid()}.db"):
        for number in range(1, _PROCESSES):
            shutil.copy(path, path.with_name(path.name.replace(f"{os.getpid()}", f"9{number:06}")))
    return {f"GET /metrics, {_PROCESSES} processes": lambda: metrics.exposition}


def _openapi() -> Works:
    describe = partial(openapi.describe.__wrapped__, TokenAuth.JWT)
    return {"GET /openapi.json, the first time": partial(_just, describe)}


def _just(work: Callable[[], object]) -> Callable[[], object]:
    return work
