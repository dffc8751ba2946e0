"""From the press of the button to the agent's voice, in Chromium: three ways, in turns.

One livekit-server, one worker and one page serve all of them. Only one token server runs at a
time: two would both look at every room.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.browser import Join, JoiningPage, joining_page
from bench.effort import Effort
from bench.figures import Bar, Compared, Ratio, Row, Section, median, p95
from bench.progress import say
from bench.servers import start_ours, wait_until_ready
from bench.worker import RestedWorker, rested_worker
from tests.processes import LiveKitServer, free_port

_NATIVE = "LiveKit's token dispatch into a fresh room"
_JOIN = "ours, AGENT_DISPATCH=join"
_TOKEN = "ours, AGENT_DISPATCH=token, token fetched 1 s before"  # noqa: S105 (a way to join)
_WAYS = (_NATIVE, _JOIN, _TOKEN)
_MODES = {_JOIN: "join", _TOKEN: "token"}
_HEAD_START_MS = 1000


@dataclass(frozen=True, kw_only=True)
class _Stage:
    """What all joins share."""

    livekit: LiveKitServer
    worker: RestedWorker
    page: JoiningPage
    web_port: int
    folder: Path

    @contextmanager
    def token_server(self, way: str) -> Iterator[None]:
        """Run the token server of this way; there is none for LiveKit's own."""
        if way == _NATIVE:
            yield
            return
        environ = self.livekit.environ() | {
            "AGENT_DISPATCH": _MODES[way],
            "HOST": "127.0.0.1",
            "PORT": str(self.web_port),
        }
        with start_ours(environ, self.folder / "web.log") as web:
            wait_until_ready(web, self.web_port)
            yield

    def join(self, way: str) -> Join:
        """Join a fresh room once the worker rests."""
        self.worker.wait()
        if way == _NATIVE:
            return self.page.join_fresh_room(self.livekit.url, f"bench-{uuid.uuid4()}")
        pause_ms = _HEAD_START_MS if way == _TOKEN else 0
        return self.page.join_with_fetched_token(pause_ms=pause_ms)


def measure_joins(effort: Effort, folder: Path) -> Section:
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
        f" Chromium with a microphone, {effort.joins} joins each, every one into a fresh room."
    )
    return Section(title="Join to the agent's audio", how=how, rows=tuple(_rows(joins)))


@contextmanager
def _stage(folder: Path) -> Iterator[_Stage]:
    web_port = free_port()
    with (
        LiveKitServer(folder, webhook_urls=[f"http://127.0.0.1:{web_port}/webhook"]) as livekit,
        rested_worker(livekit, folder) as worker,
        joining_page(web_port) as page,
    ):
        yield _Stage(livekit=livekit, worker=worker, page=page, web_port=web_port, folder=folder)


def _rows(joins: dict[str, list[Join]]) -> Iterator[Row]:
    subscribed = {way: [join.subscribed_ms for join in joins[way]] for way in _WAYS}
    with_token = [join.token_ms + join.subscribed_ms for join in joins[_JOIN]]
    native = median(subscribed[_NATIVE])
    yield _row(_NATIVE, subscribed[_NATIVE])
    yield _row(_JOIN, subscribed[_JOIN], native, Bar(most=1.35))
    yield _row(f"{_JOIN}, with the /token call", with_token, native)
    yield _row(_TOKEN, subscribed[_TOKEN], native, Bar(most=0.6))
    for way in _WAYS:
        yield _row(f"connected only: {way}", [join.connected_ms for join in joins[way]])


def _row(
    what: str, milliseconds: list[float], native: float | None = None, bar: Bar | None = None
) -> Row:
    p50 = median(milliseconds)
    compared = Compared(Ratio(rounds=(p50 / native,)), "LiveKit's own", bar) if native else None
    return Row(what=what, p50_ms=p50, p95_ms=p95(milliseconds), compared=compared)
