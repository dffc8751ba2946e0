"""Tells the token server where this worker is, and which jobs it has: LiveKit lists no workers.

It is told for people, and so that nobody waits for a worker that is not there. No job waits for it.
"""

import asyncio
import base64
import hashlib
import json
import logging
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from http import HTTPStatus

import aiohttp
import jwt

from agent.background import start_task
from agent.settings import AgentSettings
from agent.standing import Standing
from shared_settings.token_server_url import running_server_url
from shared_settings.worker_words import AUDIENCE

# Seconds: between two looks at what there is to tell, between two words where nothing has changed,
# and between two tries of a token server that was told to be away.
_LOOK_EVERY = 0.1
_LEAST_PAUSE = 0.2
_TELL_EVERY = 2.0
_TRY_EVERY = 5.0
# Of failing, before the log says so: a token server that is started again is soon back.
_AWAY_AFTER = 5.0
# A worker whose last word is lost is taken for dead, six seconds later.
_LAST_WORDS = 2
_TIMEOUT = aiohttp.ClientTimeout(total=2.0)
_SIGNED_FOR = 60
_LONGEST_NAME = 256
_AWAY = (
    "The token server does not know of this worker, and agents come all the same: where it is not"
    " on this machine, set TOKEN_SERVER_URL"
)
logger = logging.getLogger(__name__)


class Registration:
    """Tells the token server at every change, and every two seconds otherwise.

    Args:
        settings: Where the token server is, and what signs.
        standing: Returns how the worker is.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        settings: AgentSettings,
        standing: Callable[[], Standing],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._standing, self._clock = settings, standing, clock
        where = settings.token_server_url, settings.port, settings.host
        self._url = f"{running_server_url(*where)}/workers"
        self._process, self._sequence = secrets.token_hex(16), 0
        self._task: asyncio.Task[None] | None = None
        self._told: Standing | None = None
        self._told_at = self._heard_at = clock()
        self._is_away = False

    def start(self) -> None:
        """Begin to tell; called in the loop."""
        self._heard_at = self._clock()
        self._task = start_task(self._go_on(), "telling the token server of this worker")

    async def leave(self) -> None:
        """Say that the worker is gone, and no more."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        # One that has failed is in the log already, and the worker is to end all the same.
        await asyncio.wait([task])
        # One that is away would only hold the worker's end up.
        if self._told is None or self._is_away:
            return
        last_word = replace(self._told, is_leaving=True, jobs=())
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            for _ in range(_LAST_WORDS):
                if await self._tell(session, last_word):
                    return

    async def _go_on(self) -> None:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            while True:
                standing = self._standing()
                if self._is_due(standing):
                    await self._tell(session, standing)
                await asyncio.sleep(_LOOK_EVERY)

    def _is_due(self, standing: Standing) -> bool:
        since = self._clock() - self._told_at
        if self._is_away:
            return since >= _TRY_EVERY
        has_changed = standing != self._told and since >= _LEAST_PAUSE
        return self._told is None or has_changed or since >= _TELL_EVERY

    async def _tell(self, session: aiohttp.ClientSession, standing: Standing) -> bool:
        """Send one word; say whether it was heard. What goes wrong is told in the log, once."""
        self._told, self._told_at = standing, self._clock()
        body = self._body(standing)
        headers = {"Authorization": self._sign(body), "Content-Type": "application/json"}
        try:
            async with session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                is_heard = answer.status == HTTPStatus.NO_CONTENT
                reason = f"HTTP {answer.status}"
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            is_heard, reason = False, type(error).__name__
        self._note(reason, is_heard=is_heard)
        return is_heard

    def _note(self, reason: str, *, is_heard: bool) -> None:
        now = self._clock()
        if is_heard:
            self._heard_at = now
            if self._is_away:
                logger.info("the token server knows of this worker again")
            self._is_away = False
        elif now - self._heard_at >= _AWAY_AFTER and not self._is_away:
            self._is_away = True
            logger.warning(_AWAY, extra={"url": self._url, "reason": reason})

    def _body(self, standing: Standing) -> bytes:
        self._sequence += 1
        told = asdict(standing) | {
            "process": self._process,
            "sequence": self._sequence,
            "agent_name": self._settings.registered_name,
            "host": socket.gethostname()[:_LONGEST_NAME],
            "registered_for": self._age(standing.registered_at),
            "max_calls": self._settings.max_jobs,
        }
        # A time of our own clock, which is nobody else's.
        del told["registered_at"]
        return json.dumps(told, ensure_ascii=False).encode(errors="replace")

    def _age(self, registered_at: float | None) -> float | None:
        return None if registered_at is None else max(self._clock() - registered_at, 0.0)

    def _sign(self, body: bytes) -> str:
        """Sign as LiveKit signs its webhooks, but for this reader alone."""
        claims = {
            "iss": self._settings.livekit_api_key,
            "aud": AUDIENCE,
            "exp": int(time.time()) + _SIGNED_FOR,
            "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
        }
        return jwt.encode(claims, self._settings.livekit_api_secret, "HS256")
