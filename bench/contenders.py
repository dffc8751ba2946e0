"""Those who are asked for the same thing in turns, and what each has answered."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.effort import Effort
from bench.figures import EMPTY, Cell, Ratio, Row, load_row, median, p95
from bench.load import Load, Target, put_load_on
from bench.progress import say
from bench.requests import token_request
from bench.servers import StartWeb, livekit_with

HELD_AT = 16  # connections at which bars are held
_WARM_UP_SECONDS = 0.5
PutLoad = Callable[..., Load]
Run = Callable[..., AbstractContextManager[Target]]


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What all are asked.

    Attributes:
        has_webhooks: Whether LiveKit sends any.
        live_rooms: How many rooms the requests are for; None: each is for a fresh one.
        connections: The numbers of connections.
    """

    has_webhooks: bool = True
    live_rooms: int | None = None
    connections: tuple[int, ...] = (1, 4, HELD_AT, 64)


@dataclass(frozen=True)
class Contender:
    """One of those compared, and what it answered in each round, by number of connections.

    Attributes:
        name: Of its rows.
        run: Starts it, and says how it is asked.
        put_load: Asks it.
        headers: What each request says besides, or instead.
    """

    name: str
    run: Run
    put_load: PutLoad = put_load_on
    headers: tuple[str, ...] = ()
    loads: dict[int, list[Load]] = field(default_factory=dict)

    def visit(self, occasion: Occasion, effort: Effort, folder: Path) -> None:
        """Start it, warm it up, measure, stop it."""
        with self.run(folder, has_webhooks=occasion.has_webhooks) as usual:
            own = {header.partition(":")[0] for header in self.headers}
            kept = (header for header in usual.headers if header.partition(":")[0] not in own)
            headers = (*kept, *self.headers)
            target = replace(usual, numbers=occasion.live_rooms, headers=headers)
            put_load_on(target, connections=HELD_AT, seconds=_WARM_UP_SECONDS)
            for connections in occasion.connections:
                seconds = effort.load_seconds if connections == HELD_AT else effort.lone_seconds
                load = self.put_load(target, connections=connections, seconds=seconds)
                self.loads.setdefault(connections, []).append(load)
        rates = ", ".join(f"{loads[-1].per_second:,.0f}" for loads in self.loads.values())
        say(f"    {self.name}: {rates}/s")

    def rate_beside(self, other: "Contender", connections: int) -> Ratio:
        """Compare requests per second round by round."""
        pairs = zip(self.loads[connections], other.loads[connections], strict=True)
        return Ratio(rounds=tuple(mine.per_second / theirs.per_second for mine, theirs in pairs))


def take_turns(
    contenders: Sequence[Contender], occasion: Occasion, effort: Effort, folder: Path, title: str
) -> None:
    """Measure all in rounds; each begins with another one."""
    for number in range(effort.rounds):
        say(f"{title}: round {number + 1} of {effort.rounds}")
        shift = number % len(contenders)
        for contender in (*contenders[shift:], *contenders[:shift]):
            contender.visit(occasion, effort, folder)


@contextmanager
def token_server(start: StartWeb, folder: Path, *, has_webhooks: bool) -> Iterator[Target]:
    """Run a token server, and say how it is asked for tokens."""
    with livekit_with(start, folder, has_webhooks=has_webhooks) as ports:
        yield token_request(ports.web)


def p50_of(loads: Sequence[Load]) -> float:
    """Return the median of the rounds' medians, in milliseconds."""
    return median([median(load.milliseconds) for load in loads])


def to_row(what: str, loads: Sequence[Load], beside: Cell = EMPTY) -> Row:
    """Summarise the rounds of one server."""
    milliseconds = (
        p50_of(loads),
        median([p95(load.milliseconds) for load in loads]),
    )
    return load_row(what, milliseconds, median([load.per_second for load in loads]), beside)
