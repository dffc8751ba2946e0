"""Sends mutants to the web process, half of them through nginx, and tells what came of it."""

import re
import selectors
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path

from bench.abuse import Usage
from bench.effort import Effort
from bench.figures import EMPTY, Bar, Cell, Held, Row, Section, number
from bench.mutations.clients import Client
from bench.mutations.good_requests import CALLER_KEY, MARKER, OPERATOR_KEY
from bench.mutations.nginx import Nginx
from bench.mutations.tally import Fault, Tally
from bench.progress import say
from bench.servers import start_livekit, start_ours, wait_until_ready
from tests.processes import Process, free_port

_CLIENTS = 8  # on either way
_SETTINGS = {
    "TOKEN_AUTH": "key",
    "TOKEN_KEYS": CALLER_KEY,
    "OPERATOR_KEY": OPERATOR_KEY,
    # Or LiveKit's memory would be what is measured.
    "ROOM_EMPTY_TIMEOUT_SECONDS": "5",
}
# Of all requests, before the memory is looked at for the first time.
_WARM_UP = 0.4
_LOOK_SECONDS = 0.05  # how often waits are looked at that may last too long
_PARTS = 20  # of the way; after each, a line says how far it is
_TROUBLES = 20
_NONE = Bar(most=0, unit="")
_GROWTH = Bar(most=1.1)
_THREADS = Bar(
    most=20, unit=""
)  # gevent's pools, of ten in each process, fill when they are needed
_FILES = Bar(most=4 * _CLIENTS, unit="")  # connections come and go while they are counted
_COLUMNS = ("requests", "answers")
_HOW = (
    f"{_CLIENTS} kept connections straight to gunicorn, and {_CLIENTS} through nginx, which keeps"
    " 16 to gunicorn for all; half of the requests on either way. Each is a good request with one"
    " to three faults, made of a seed: bytes, lines, headers, lengths, chunks, targets, JSON,"
    " pairs, cut off. A canary follows every second that is a whole request, on the same"
    " connection, and must get its own answer and nothing else. Memory (PSS), threads and files are"
    f" all web processes', before and after the last {100 * (1 - _WARM_UP):.0f} % of the requests."
)


def measure_mutations(effort: Effort, folder: Path) -> list[Section]:
    """Send them all, and look for what must not have happened."""
    say(f"mutations: {effort.mutations:,} requests, half of them through nginx")
    with ExitStack() as running:
        web, port = _start(folder, running)
        nginx = Nginx(folder, port)
        running.enter_context(nginx.process)
        selector = running.enter_context(selectors.DefaultSelector())
        ways = [port, nginx.usual] * (_CLIENTS // 2) + [port, nginx.lenient] * (_CLIENTS // 2)
        names: set[bytes] = set()
        clients = [Client(index, way, selector, names) for index, way in enumerate(ways)]
        for client in clients:
            running.enter_context(closing(client))
        first = int(_WARM_UP * effort.mutations)
        _drive(clients, selector, range(first))
        before = Usage.by(web)
        _drive(clients, selector, range(first, effort.mutations))
        after = Usage.by(web)
    tallies = [client.tally for client in clients]
    _say_troubles(nginx)
    rows = [
        _way("straight to gunicorn", tallies[::2]),
        _way("through nginx", tallies[1::2]),
        *_faults(tallies),
        *_log(web),
        *_usage(before, after),
    ]
    title = "Mutated requests over kept connections"
    return [Section(key="mutations", title=title, how=_HOW, columns=_COLUMNS, rows=tuple(rows))]


def _start(folder: Path, running: ExitStack) -> tuple[Process, int]:
    port = free_port()
    urls = [f"http://127.0.0.1:{port}/webhook"]
    livekit = running.enter_context(start_livekit(folder, webhook_urls=urls))
    environ = livekit.environ() | {"PORT": str(port), "HOST": "127.0.0.1"} | _SETTINGS
    web = running.enter_context(start_ours(environ, folder / f"web-{port}.log"))
    wait_until_ready(web, port)
    return web, port


def _drive(clients: Sequence[Client], selector: selectors.BaseSelector, numbers: range) -> None:
    step = max(1, len(numbers) // _PARTS)
    for start in range(0, len(numbers), step):
        part = numbers[start : start + step]
        _drive_part(clients, selector, part)
        faults: Counter[Fault] = Counter()
        for client in clients:
            faults.update(client.tally.faults)
            for example in client.tally.examples:
                say(f"    {example}")
            client.tally.examples.clear()
        say(f"    {part[-1] + 1:,} sent; {dict(faults) or 'no fault'}")


def _drive_part(
    clients: Sequence[Client], selector: selectors.BaseSelector, numbers: range
) -> None:
    """Send the mutants of these numbers, each client its own of them."""
    for index, client in enumerate(clients):
        client.begin(numbers[index :: len(clients)])
    next_look = 0.0
    while not all(client.is_done for client in clients):
        for key, _ in selector.select(_LOOK_SECONDS):
            key.data.receive()
        if (now := time.monotonic()) > next_look:
            next_look = now + _LOOK_SECONDS
            for client in clients:
                client.look()


def _way(what: str, tallies: Sequence[Tally]) -> Row:
    statuses: Counter[str] = Counter()
    for tally in tallies:
        statuses.update(tally.statuses)
    answers = ", ".join(f"{status}: {times:,}" for status, times in sorted(statuses.items()))
    sent = sum(tally.sent for tally in tallies)
    canaries = sum(tally.canaries for tally in tallies)
    say(f"    {what}: {sent:,}, and {canaries:,} canaries; {answers}")
    return Row(
        what=f"{what}, with {canaries:,} canaries",
        cells=(number(sent), Cell(answers, dict(statuses))),
    )


def _faults(tallies: Sequence[Tally]) -> list[Row]:
    return [_row(fault, sum(tally.faults[fault] for tally in tallies), _NONE) for fault in Fault]


def _log(web: Process) -> list[Row]:
    found: Counter[str] = Counter()
    with web.log.open(errors="replace") as lines:
        for line in lines:
            found.update(re.findall(rf"Traceback|{MARKER}", line))
    return [
        _row("tracebacks in the log", found["Traceback"], _NONE),
        _row("quotes of a secret in the log", found[MARKER], _NONE),
    ]


def _usage(before: Usage, after: Usage) -> list[Row]:
    return [
        _row("memory, after by before", after.mib / before.mib, _GROWTH, digits=2),
        _row("threads more", after.threads - before.threads, _THREADS),
        _row("open files more", after.open_files - before.open_files, _FILES),
    ]


def _row(what: str, value: float, bar: Bar, digits: int = 0) -> Row:
    return Row(what=what, cells=(number(value, digits), EMPTY), held=Held(value=value, bar=bar))


def _say_troubles(nginx: Nginx) -> None:
    """Say what nginx says of the web process."""
    with nginx.errors.open(errors="replace") as lines:
        for line in islice((line for line in lines if "upstream" in line), _TROUBLES):
            say(f"    nginx: {line.strip()[:600]}")
