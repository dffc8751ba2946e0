"""A proxy in front of livekit-server that counts, and answers 429 beyond so many a minute."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp
from aiohttp import web
from livekit.protocol import agent_dispatch

_MINUTE = 60.0
_CREATE_DISPATCH = "CreateDispatch"
_KEPT = ("Authorization", "Content-Type")
_GIVEN = ("Content-Type", "Date")


class QuotaProxy:
    """Passes requests on, so many in each minute since its start; what is refused costs nothing.

    Attributes:
        passed: The requests that were passed on, by minute and method.
        refused: Those that were refused, by method.
        dispatched_at: When each room's first CreateDispatch came that was passed on.
    """

    def __init__(self, livekit_url: str, per_minute: int, session: aiohttp.ClientSession) -> None:
        self._livekit = livekit_url.replace("ws", "http", 1)
        self._per_minute, self._session = per_minute, session
        self._since = time.monotonic()
        self.passed: Counter[tuple[int, str]] = Counter()
        self.refused: Counter[str] = Counter()
        self.dispatched_at: dict[str, float] = {}

    def minutes(self) -> Counter[int]:
        """Return how many requests each minute had."""
        found: Counter[int] = Counter()
        for (minute, _), count in self.passed.items():
            found[minute] += count
        return found

    def methods(self) -> Counter[str]:
        """Return how many requests each method had, over all minutes."""
        found: Counter[str] = Counter()
        for (_, method), count in self.passed.items():
            found[method] += count
        return found

    async def answer(self, request: web.Request) -> web.Response:
        """Pass a request on, or refuse it."""
        now = time.monotonic()
        minute, method = int((now - self._since) // _MINUTE), request.path.rpartition("/")[2]
        if self.minutes()[minute] >= self._per_minute:
            self.refused[method] += 1
            return web.Response(status=HTTPStatus.TOO_MANY_REQUESTS, text="too many requests")
        self.passed[minute, method] += 1
        body = await request.read()
        if method == _CREATE_DISPATCH:
            order = agent_dispatch.CreateAgentDispatchRequest.FromString(body)
            self.dispatched_at.setdefault(order.room, now)
        headers = {name: request.headers[name] for name in _KEPT if name in request.headers}
        url = f"{self._livekit}{request.path}"
        try:
            async with self._session.post(url, data=body, headers=headers) as answer:
                given = {name: answer.headers[name] for name in _GIVEN if name in answer.headers}
                return web.Response(status=answer.status, body=await answer.read(), headers=given)
        except aiohttp.ClientError:
            # At the end livekit-server is gone first.
            return web.Response(status=HTTPStatus.BAD_GATEWAY)


@asynccontextmanager
async def quota_proxy(port: int, livekit_url: str, per_minute: int) -> AsyncIterator[QuotaProxy]:
    """Run one on this port of 127.0.0.1."""
    async with aiohttp.ClientSession() as session:
        proxy = QuotaProxy(livekit_url, per_minute, session)
        application = web.Application()
        application.router.add_post("/{path:.*}", proxy.answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield proxy
        finally:
            await runner.cleanup()
