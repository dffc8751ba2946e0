"""/token under gunicorn's worker classes, and asked by pages of other origins.

Both are the Procfile's web process: what differs is said to gunicorn in GUNICORN_CMD_ARGS.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from bench.contenders import HELD_AT, Contender, Occasion, Run, take_turns, to_row, token_server
from bench.effort import Effort
from bench.figures import LOAD_COLUMNS, Bar, Held, Row, Section, compared
from bench.servers import start_ours
from bench.tokens import LIVE_ROOMS
from tests.processes import Process

_ORIGIN = "https://app.example.com"
_FROM_A_PAGE = (f"Origin: {_ORIGIN}",)
_LEAST = Bar(least=0.95)
_CLASSES = {
    "our subclass of gevent": "",
    "gevent as it is": "--worker-class gevent",
    "gthread, 4 threads": "--worker-class gthread --threads 4",
}
_PYTHON, _FAST = "--http-parser python", "--http-parser fast"
_HOW = (
    f"CORS_ORIGINS is set, webhooks are on, {LIVE_ROOMS} live rooms or a fresh one for each."
    " Medians of the rounds; ratios within each round (min to max)."
)


def measure_origins(effort: Effort, folder: Path) -> Sequence[Section]:
    """Measure what an Origin, or a charset, costs."""
    start = _start()
    contenders = [
        Contender("neither", start),
        Contender("with an Origin", start, headers=_FROM_A_PAGE),
        Contender(
            "with a charset", start, headers=("Content-Type: application/json; charset=utf-8",)
        ),
    ]
    occasion = Occasion(live_rooms=LIVE_ROOMS, connections=(HELD_AT,))
    take_turns(contenders, occasion, effort, folder, "origins")
    first = contenders[0]
    rows = [to_row(first.name, first.loads[HELD_AT])]
    for contender in contenders[1:]:
        row = _beside(contender, first, HELD_AT, contender.name)
        ratio = contender.rate_beside(first, HELD_AT)
        rows.append(replace(row, held=Held(value=ratio.middle, bar=_LEAST)))
    title = "POST /token, asked by a page of another origin"
    return [_section("origins", title, rows)]


def measure_classes(effort: Effort, folder: Path) -> Sequence[Section]:
    """Measure gunicorn's worker classes with the same application."""
    rows: list[Row] = []
    for rooms, words in ((LIVE_ROOMS, "live"), (None, "fresh")):
        contenders = list(_contenders())
        occasion = Occasion(live_rooms=rooms, connections=(1, HELD_AT, 64))
        take_turns(contenders, occasion, effort, folder, f"classes, {words} rooms")
        rows += [
            _beside(one, contenders[0], connections, f"{words}, {connections}: {one.name}")
            for connections in occasion.connections
            for one in contenders
        ]
    return [_section("classes", "POST /token under gunicorn's worker classes", rows)]


def _contenders() -> Sequence[Contender]:
    found = []
    # gunicorn's parser in C is no dependency of ours; gunicorn takes it where it finds it.
    parsers = (_PYTHON, _FAST) if find_spec("gunicorn_h1c") else (_PYTHON,)
    for name, arguments in _CLASSES.items():
        for parser in parsers:
            start = _start(f"{arguments} {parser}")
            whole = f"{name}, fast parser" if parser is _FAST else name
            found.append(Contender(whole, start))
            found.append(Contender(f"{whole}, Origin", start, headers=_FROM_A_PAGE))
    return found


def _start(arguments: str = "") -> Run:
    def start(environ: dict[str, str], log: Path) -> Process:
        more = {"CORS_ORIGINS": _ORIGIN, "GUNICORN_CMD_ARGS": arguments.strip()}
        return start_ours(environ | more, log)

    return partial(token_server, start)


def _beside(contender: Contender, first: Contender, connections: int, what: str) -> Row:
    ratio = contender.rate_beside(first, connections)
    return to_row(what, contender.loads[connections], compared(ratio, f"{first.name}"))


def _section(key: str, title: str, rows: Sequence[Row]) -> Section:
    return Section(key=key, title=title, how=_HOW, columns=LOAD_COLUMNS, rows=tuple(rows))
