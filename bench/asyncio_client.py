"""CreateRoom from one kept-alive asyncio client: what is left when a token server adds nothing."""

import asyncio
import itertools
import time

import aiohttp

from bench.load import Load, Target


def put_asyncio_load_on(target: Target, *, connections: int, seconds: float) -> Load:
    """Ask over so many connections for so long, each answered before the next; see load.py.

    Raises:
        aiohttp.ClientError: An answer was not 2xx, or none.
    """
    return asyncio.run(_drive(target, connections, seconds))


async def _drive(target: Target, connections: int, seconds: float) -> Load:
    milliseconds: list[float] = []
    numbers = itertools.count()
    headers = dict(header.split(": ", 1) for header in target.headers)
    url = f"http://127.0.0.1:{target.port}{target.path}"
    connector = aiohttp.TCPConnector(limit=connections)
    started = time.perf_counter()

    async def ask_on(session: aiohttp.ClientSession) -> None:
        while (asked := time.perf_counter()) < started + seconds:
            body = target.body_of(next(numbers))
            async with session.post(url, data=body, headers=headers) as answer:
                answer.raise_for_status()
                await answer.read()
            milliseconds.append(1000 * (time.perf_counter() - asked))

    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(ask_on(session) for _ in range(connections)))
    return Load(milliseconds=milliseconds, seconds=time.perf_counter() - started)
