"""What clients achieve that send or read too slowly: very many at once, and everybody else."""

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from bench.effort import Effort
from bench.figures import EMPTY, Bar, Held, Row, Section, number, p95
from bench.growth.usage import memory_mib
from bench.progress import say
from bench.servers import Ports, livekit_with, start_ours
from tests import plain_http
from tests.processes import Process
from tests.slow_clients import PIPELINED, SlowClients

_HEAD = (
    b"POST /token HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 99\r\n"
)
_KINDS = {
    "no byte": b"",
    "half a head": _HEAD,
    "half a body": _HEAD + b'\r\n{"room_name":',
    "never reads": PIPELINED * 400,
}
_FLOODS = 3
_GONE_AFTER = 20.0
_HOW = (
    f"{{each:,}} connections of each kind at once ({', '.join(_KINDS)}) against the Procfile's two"
    " processes, while two clients ask for tokens over new connections. MiB is the memory of all"
    " web processes (PSS); Python keeps what the first flood has made it take for the next."
)


_COLUMNS = ("longest s", "p95 s", "open 20 s later", "MiB 20 s later")


def measure_slow_clients(effort: Effort, folder: Path) -> Sequence[Section]:
    """Flood it, look at what is left, flood it again, and stop it in the middle."""
    started: list[Process] = []

    def start(environ: dict[str, str], log: Path) -> Process:
        started.append(start_ours(environ, log))
        return started[-1]

    with livekit_with(start, folder) as ports:
        web = started[-1]
        before = memory_mib(web.popen.pid)
        floods = [_measure(web, ports, effort.slow_clients) for _ in range(_FLOODS)]
        with SlowClients() as clients:
            _flood(clients, ports, effort.slow_clients)
            stopped = _stop(web)
    return [
        Section(
            key="slow",
            title="Clients that send or read too slowly",
            how=_HOW.format(each=effort.slow_clients),
            columns=_COLUMNS,
            rows=tuple(_rows(before, floods, stopped)),
        )
    ]


@dataclass(frozen=True, kw_only=True)
class _Flood:
    """What one flood did: the seconds that others waited, and what was left 20 s later."""

    waited: list[float]
    left: int
    mib: float


def _measure(web: Process, ports: Ports, each: int) -> _Flood:
    with SlowClients() as clients, _asking(ports) as waited:
        _flood(clients, ports, each)
        time.sleep(_GONE_AFTER)
        flood = _Flood(waited=waited, left=clients.left(), mib=memory_mib(web.popen.pid))
    say(f"    longest {max(waited):.2f} s, {flood.left} left, {flood.mib:.0f} MiB")
    return flood


def _rows(before: float, floods: Sequence[_Flood], stopped: float) -> Iterator[Row]:
    yield Row(what="before", cells=(EMPTY, EMPTY, EMPTY, number(before)))
    for count, flood in enumerate(floods, 1):
        longest = max(flood.waited)
        cells = (
            number(longest, 2),
            number(p95(flood.waited), 2),
            number(flood.left),
            number(flood.mib),
        )
        held = Held(value=longest, bar=Bar(most=2, unit=" s"))
        yield Row(what=f"flood {count}", cells=cells, held=held)
    left = max(flood.left for flood in floods)
    growth = floods[-1].mib / floods[0].mib
    for what, value, bar in (
        ("connections that are left", left, Bar(most=0, unit="")),
        ("memory after the last flood, by that after the first", growth, Bar(most=1.1)),
        ("seconds to stop in the middle of a flood", stopped, Bar(most=5, unit=" s")),
    ):
        cells = (number(value, 2), EMPTY, EMPTY, EMPTY)
        yield Row(what=what, cells=cells, held=Held(value=value, bar=bar))


def _stop(web: Process) -> float:
    began = time.monotonic()
    web.popen.send_signal(signal.SIGTERM)
    web.popen.wait(timeout=60)
    return time.monotonic() - began


def _flood(clients: SlowClients, ports: Ports, each: int) -> None:
    for _ in range(each):
        for request in _KINDS.values():
            clients.open(ports.web, request)


@contextmanager
def _asking(ports: Ports) -> Iterator[list[float]]:
    """Ask for tokens meanwhile; give the seconds that each took."""
    waited: list[float] = []
    ends = Event()

    def ask() -> None:
        while not ends.wait(0.05):
            began = time.monotonic()
            url = f"http://127.0.0.1:{ports.web}/token"
            plain_http.good(plain_http.post(url, json={}, timeout=30))
            waited.append(time.monotonic() - began)

    askers = [Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    try:
        yield waited
    finally:
        ends.set()
        for asker in askers:
            asker.join()
