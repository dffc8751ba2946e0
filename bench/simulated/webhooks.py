"""Webhooks as LiveKit sends them: one serial queue for each room (livekit-behaviour 51, 52)."""

import asyncio
import base64
import hashlib
import itertools
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from google.protobuf.json_format import MessageToJson
from livekit.protocol import models
from livekit.protocol.webhook import WebhookEvent

from bench.simulated.messages import from_participant, from_room
from bench.simulated.rooms import Later, RoomWatcher
from token_server.livekit.port import Participant, ParticipantKind, Room
from token_server.livekit.signatures import sign

# Seconds between the tries, how old an event may be, and how many may wait (livekit/protocol
# 1.50.5, webhook/).
_PAUSES = (1.0, 2.0, 4.0, 8.0, 0.0)
_OLDEST, _MOST_WAITING = 30.0, 200
_VALID_SECONDS = 300
# Seconds until the media of somebody who has joined is up (livekit-behaviour 98).
_MEDIA_AFTER = 0.1
_CONNECTIONS = 50


@dataclass(frozen=True)
class _Event:
    body: bytes
    made_at: float


class Webhooks(RoomWatcher):
    """Tells a token server what happens.

    Args:
        url: Where to; "" for nowhere.
        api_key: Whose secret signs.
        api_secret: Signs.
        room: Finds a live room by its name.
        later: Calls something after so many seconds.

    Attributes:
        are_lost: Whether no event reaches anybody, from now on.
        sent: How many have been answered with a 2xx.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        api_secret: str,
        room: Callable[[str], Room | None],
        later: Later,
    ) -> None:
        self._url, self._api_key, self._api_secret = url, api_key, api_secret
        self._room, self._later = room, later
        self._numbers = itertools.count(1)
        self._queues: dict[str, deque[_Event]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: aiohttp.ClientSession | None = None
        self.are_lost = not url
        self.sent = 0

    def room_began(self, room: Room) -> None:
        """Tell of a new room."""
        self._tell("room_started", room)

    def room_ended(self, room: Room) -> None:
        """Tell that a room is no more."""
        self._tell("room_finished", room)

    def changed(self, room_name: str, participant: Participant, *, is_here: bool) -> None:
        """Tell who has gone at once, who has come when their media is up."""
        if not is_here:
            self._tell_of("participant_left", room_name, participant)
            return
        self._later(
            _MEDIA_AFTER, lambda: self._tell_of("participant_joined", room_name, participant)
        )
        if participant.kind is ParticipantKind.AGENT:
            self._later(
                _MEDIA_AFTER, lambda: self._tell_of("track_published", room_name, participant)
            )

    async def close(self) -> None:
        """Send nothing more."""
        for task in self._tasks:
            task.cancel()
        if self._client:
            await self._client.close()

    def _tell_of(self, kind: str, room_name: str, participant: Participant) -> None:
        if room := self._room(room_name):
            self._tell(kind, room, from_participant(participant))

    def _tell(self, kind: str, room: Room, whom: models.ParticipantInfo | None = None) -> None:
        if self.are_lost:
            return
        now = time.time()
        event = WebhookEvent(
            event=kind,
            room=from_room(room),
            participant=whom,
            id=f"EV_{next(self._numbers)}",
            created_at=int(now),
        )
        queue = self._queues.get(room.room_name)
        if queue is None:
            queue = self._queues[room.room_name] = deque()
            task = asyncio.get_running_loop().create_task(self._work_off(room.room_name, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if len(queue) < _MOST_WAITING:
            queue.append(_Event(MessageToJson(event).encode(), now))

    async def _work_off(self, room_name: str, queue: deque[_Event]) -> None:
        while queue:
            await self._send(queue[0])
            queue.popleft()
        del self._queues[room_name]

    async def _send(self, event: _Event) -> None:
        for pause in _PAUSES:
            if self.are_lost or time.time() - event.made_at > _OLDEST:
                return
            status = await self._post(event.body)
            if status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.TOO_MANY_REQUESTS:
                self.sent += status < HTTPStatus.MULTIPLE_CHOICES
                return
            await asyncio.sleep(pause)

    async def _post(self, body: bytes) -> int:
        """Return the status; no connection is as good as a 503."""
        if self._client is None:
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS), trust_env=False
            )
        headers = {
            "Content-Type": "application/webhook+json",
            "Authorization": self._signature(body),
        }
        try:
            async with self._client.post(self._url, data=body, headers=headers) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, OSError):
            return HTTPStatus.SERVICE_UNAVAILABLE

    def _signature(self, body: bytes) -> str:
        now = int(time.time())
        claims = {
            "iss": self._api_key,
            "nbf": now,
            "exp": now + _VALID_SECONDS,
            "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
        }
        return sign(claims, self._api_secret)
