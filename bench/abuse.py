"""What bad requests achieve, which is nothing; and what very many good ones leave behind."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.bad_requests import BadRequests
from bench.effort import Effort
from bench.figures import EMPTY, Bar, Cell, Held, Row, Section, number
from bench.growth.usage import memory_mib, open_files, threads
from bench.load import Requests, ask_often
from bench.progress import say
from bench.requests import token_request
from bench.servers import start_livekit, start_ours, wait_until_ready
from tests import plain_http
from tests.processes import Process, free_port

_CONNECTIONS = 16
_CALLER_KEY = "a-made-up-caller-key"
_OPERATOR_KEY = "a-made-up-operator-key"
# A good request's room ends soon, or LiveKit's memory would be what is measured.
_SETTINGS = {"OPERATOR_KEY": _OPERATOR_KEY, "ROOM_EMPTY_TIMEOUT_SECONDS": "5"}
# Of all requests, before the memory is looked at for the first time: by then every process follows
# as many rooms as it ever will (schedule.py), and the interpreter has the memory that it needs.
_WARM_UP = 0.4
_COLUMNS = ("requests", "answers", "MiB", "threads", "open files")
_GROWTH = Bar(most=1.1)
_NONE = Bar(most=0, unit="")
_HOW = (
    f"{_CONNECTIONS} connections. Bad: wrong fields, JSON, types, keys, queries, webhook"
    " signatures, made of a seed; TOKEN_AUTH=key. Good: tokens, each for a fresh room. MiB is the"
    " memory of all web processes (PSS), before and after the last"
    f" {100 * (1 - _WARM_UP):.0f} % of the requests."
)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What the web processes hold."""

    mib: float
    threads: int
    open_files: int

    @classmethod
    def by(cls, web: Process) -> "Usage":
        """Look at them."""
        session = web.popen.pid
        return cls(
            mib=memory_mib(session), threads=threads(session), open_files=open_files(session)
        )


def measure_abuse(effort: Effort, folder: Path) -> list[Section]:
    """Ask what must be refused, then what must be answered."""
    rows = [*_bad(effort, folder), *_good(effort, folder)]
    title = "Bad requests, and a soak of good ones"
    return [Section(key="abuse", title=title, how=_HOW, columns=_COLUMNS, rows=tuple(rows))]


def _bad(effort: Effort, folder: Path) -> list[Row]:
    settings = _SETTINGS | {"TOKEN_AUTH": "key", "TOKEN_KEYS": _CALLER_KEY}
    with ExitStack() as running:
        web, port = _start(settings, folder, running)
        rows = _ask(BadRequests(port, _CALLER_KEY), "bad requests", web, effort.requests, _is_bad)
        issued = _counted(port, "token_server_tokens_issued_total")
        sent = _counted(port, "token_server_dispatches_created_total")
    return [
        *rows,
        _held_row("tokens issued to them", issued, _NONE),
        _held_row("dispatches created for them", sent, _NONE),
    ]


def _good(effort: Effort, folder: Path) -> list[Row]:
    with ExitStack() as running:
        web, port = _start(_SETTINGS, folder, running)
        return _ask(token_request(port), "good requests", web, effort.requests, _is_good)


def _is_bad(status: int) -> bool:
    return status // 100 == 4  # noqa: PLR2004


def _is_good(status: int) -> bool:
    return status // 100 == 2  # noqa: PLR2004


def _ask(
    requests: Requests, what: str, web: Process, count: int, is_right: Callable[[int], bool]
) -> list[Row]:
    say(f"abuse: {count:,} {what}")
    first = int(_WARM_UP * count)
    statuses = ask_often(requests, connections=_CONNECTIONS, count=first)
    before = Usage.by(web)
    statuses += ask_often(requests, connections=_CONNECTIONS, count=count - first)
    after = Usage.by(web)
    wrong = sum(times for status, times in statuses.items() if not is_right(status))
    answers = ", ".join(f"{status}: {times:,}" for status, times in sorted(statuses.items()))
    say(f"    {answers}; {before.mib:.0f} MiB, then {after.mib:.0f}")
    growth = after.mib / before.mib
    held = (
        Cell(f"{before.mib:.0f}, {after.mib:.0f}", (before.mib, after.mib)),
        Cell(f"{before.threads}, {after.threads}", (before.threads, after.threads)),
        Cell(f"{before.open_files}, {after.open_files}", (before.open_files, after.open_files)),
    )
    total = number(statuses.total())
    return [
        Row(what=what, cells=(total, Cell(answers, dict(statuses)), *held)),
        _held_row(f"{what}: other answers", wrong, _NONE),
        _held_row(f"{what}: memory, after by before", growth, _GROWTH, digits=2),
    ]


def _held_row(what: str, value: float, bar: Bar, digits: int = 0) -> Row:
    rest = (EMPTY,) * (len(_COLUMNS) - 1)
    return Row(what=what, cells=(number(value, digits), *rest), held=Held(value=value, bar=bar))


def _start(settings: dict[str, str], folder: Path, running: ExitStack) -> tuple[Process, int]:
    port = free_port()
    urls = [f"http://127.0.0.1:{port}/webhook"]
    livekit = running.enter_context(start_livekit(folder, webhook_urls=urls))
    environ = livekit.environ() | {"PORT": str(port), "HOST": "127.0.0.1"} | settings
    web = running.enter_context(start_ours(environ, folder / f"web-{port}.log"))
    wait_until_ready(web, port)
    return web, port


def _counted(port: int, counter: str) -> float:
    headers = {"Authorization": f"Bearer {_OPERATOR_KEY}"}
    page = plain_http.get(f"http://127.0.0.1:{port}/metrics", headers=headers).data.decode()
    found = re.search(rf"^{counter} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0
