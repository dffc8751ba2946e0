"""From the press of the button to the agent's voice, in Chromium: all ways, in turns.

One livekit-server, one worker and one page serve all of them. Only one token server runs at a
time: two would both look at every room.
"""

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from livekit import api

from bench.browser import Join, JoiningPage, joining_page
from bench.effort import Effort
from bench.figures import (
    EMPTY,
    LOAD_COLUMNS,
    Bar,
    Held,
    Ratio,
    Row,
    Section,
    compared,
    median,
    number,
    p95,
)
from bench.progress import say
from bench.reliability.strategies import create_room_with_agent, mint_token
from bench.servers import (
    LOOPBACK,
    StartWeb,
    start_livekit,
    start_naive,
    start_ours,
    wait_until_ready,
)
from bench.worker import RestedWorker, rested_worker
from tests.processes import API_KEY, API_SECRET, LiveKitServer, free_port

NATIVE = "LiveKit's token dispatch into a fresh room"
_CREATED = "createRoom(agents), then at once the join"
_NAIVE = "naive webhook → CreateDispatch"
JOIN = "ours, AGENT_DISPATCH=join"
TOKEN = "ours, AGENT_DISPATCH=token, token fetched 1 s before"  # noqa: S105 (a way to join)
_WAYS = (NATIVE, _CREATED, _NAIVE, JOIN, TOKEN)
# What serves the tokens, and with which settings; the other ways need no token server.
_TOKEN_SERVERS: Mapping[str, tuple[StartWeb, str]] = {
    _NAIVE: (start_naive, "join"),
    JOIN: (start_ours, "join"),
    TOKEN: (start_ours, "token"),
}
_HEAD_START_MS = 1000


@dataclass(frozen=True, kw_only=True)
class JoinStage:
    """What all joins share."""

    livekit: LiveKitServer
    worker: RestedWorker
    page: JoiningPage
    web_port: int
    folder: Path
    host: str = LOOPBACK

    @contextmanager
    def token_server(self, way: str) -> Iterator[None]:
        """Run the token server of this way, if it has one."""
        if way not in _TOKEN_SERVERS:
            yield
            return
        start, mode = _TOKEN_SERVERS[way]
        environ = self.livekit.environ() | {
            "AGENT_DISPATCH": mode,
            "HOST": self.host,
            "PORT": str(self.web_port),
        }
        with start(environ, self.folder / "web.log") as web:
            wait_until_ready(web, self.web_port, self.host)
            yield

    def join(self, way: str) -> Join:
        """Join a fresh room once the worker rests."""
        self.worker.wait()
        if way in _TOKEN_SERVERS:
            pause_ms = _HEAD_START_MS if way == TOKEN else 0
            return self.page.join_with_fetched_token(pause_ms=pause_ms)
        room_name = f"bench-{uuid.uuid4()}"
        if way == _CREATED:
            # This thread has Playwright's event loop.
            with ThreadPoolExecutor() as pool:
                pool.submit(asyncio.run, self._create_room_with_agent(room_name)).result()
        token = mint_token(room_name, "alice", has_agent=way == NATIVE)
        return self.page.join_with_token(self.livekit.url, token)

    async def _create_room_with_agent(self, room_name: str) -> None:
        async with api.LiveKitAPI(self.livekit.url, API_KEY, API_SECRET) as livekit:
            await create_room_with_agent(livekit, room_name)


def measure_joins(effort: Effort, folder: Path) -> list[Section]:
    """Join in blocks; the first join of each block warms everything up and does not count."""
    joins: dict[str, list[Join]] = {way: [] for way in _WAYS}
    with _stage(folder) as stage:
        for number in range(effort.join_blocks):
            say(f"joins, block {number + 1} of {effort.join_blocks} for each way")
            shift = number % len(_WAYS)
            for way in _WAYS[shift:] + _WAYS[:shift]:
                with stage.token_server(way):
                    stage.join(way)
                    block = [stage.join(way) for _ in range(effort.joins_per_block)]
                joins[way] += block
                say(f"    {way}: {', '.join(f'{join.subscribed_ms:.0f}' for join in block)} ms")
    how = (
        f"Milliseconds from `room.connect` to the agent's audio track subscribed, headless"
        f" Chromium with a microphone, {effort.joins} joins each, every one into a fresh room; our"
        " worker for all. createRoom without agents before the token brings no agent at all."
    )
    return [
        Section(
            key="joins",
            title="Join to the agent's audio",
            how=how,
            columns=LOAD_COLUMNS[:2] + LOAD_COLUMNS[3:],
            rows=tuple(_rows(joins)),
        )
    ]


@contextmanager
def _stage(folder: Path) -> Iterator[JoinStage]:
    web_port = free_port()
    with (
        start_livekit(folder, webhook_urls=[f"http://{LOOPBACK}:{web_port}/webhook"]) as livekit,
        rested_worker(livekit, folder) as worker,
        joining_page(f"http://{LOOPBACK}:{web_port}") as page,
    ):
        yield JoinStage(livekit=livekit, worker=worker, page=page, web_port=web_port, folder=folder)


def _rows(joins: dict[str, list[Join]]) -> Iterator[Row]:
    subscribed = {way: [join.subscribed_ms for join in joins[way]] for way in _WAYS}
    with_token = [join.token_ms + join.subscribed_ms for join in joins[JOIN]]
    native = median(subscribed[NATIVE])
    yield _row(NATIVE, subscribed[NATIVE])
    yield _row(_CREATED, subscribed[_CREATED], native)
    yield _row(_NAIVE, subscribed[_NAIVE], native)
    yield _row(JOIN, subscribed[JOIN], native, Bar(most=1.35))
    yield _row(f"{JOIN}, with the /token call", with_token, native)
    yield _row(TOKEN, subscribed[TOKEN], native, Bar(most=0.6))
    for way in _WAYS:
        yield _row(f"connected only: {way}", [join.connected_ms for join in joins[way]])


def _row(
    what: str, milliseconds: list[float], native: float | None = None, bar: Bar | None = None
) -> Row:
    p50 = median(milliseconds)
    cells = (number(p50, 1), number(p95(milliseconds), 1))
    if native is None:
        return Row(what=what, cells=(*cells, EMPTY))
    beside = compared(Ratio(rounds=(p50 / native,)), "LiveKit's own")
    held = Held(value=p50 / native, bar=bar) if bar else None
    return Row(what=what, cells=(*cells, beside), held=held)
