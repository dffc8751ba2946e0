"""Joins by LiveKit's own dispatch and by ours, in turns, at one distance after the other."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from playwright.sync_api import Error as PageError

from bench.browser import joining_page
from bench.distance.far_away import CannotBeFarError, FarAway, far_away
from bench.distance.held_packets import Journey
from bench.distance.table import LIVEKITS_OWN, OURS, TOKEN_MODE, Found, Place, to_sections
from bench.distance.unjoined_tokens import unjoined_tokens
from bench.effort import Effort
from bench.figures import Section
from bench.joins import JOIN, NATIVE, TOKEN, JoinStage
from bench.progress import say
from bench.servers import LOOPBACK, start_livekit
from bench.worker import rested_worker
from tests.processes import free_port
from tests.system.doctor_stage import ChangedLiveKit

_JOURNEYS = (
    Journey(round_trip_ms=2),
    Journey(round_trip_ms=60),
    Journey(round_trip_ms=120),
    Journey(round_trip_ms=250),
    Journey(round_trip_ms=120, lost_percent=2),
)
_WAYS = {LIVEKITS_OWN: NATIVE, OURS: JOIN, TOKEN_MODE: TOKEN}
_TOKENS_PER_SECOND = (0, 20)


class _ReachableLiveKit(ChangedLiveKit):
    """A livekit-server that is reached, signalling and media, at one more address."""

    def __init__(self, folder: Path, address: str, **options: object) -> None:
        self._address = address
        # Of several addresses of this machine LiveKit would give out this one, and send from any.
        alone = {"enable_loopback_candidate": False, "ips": {"includes": [f"{address}/32"]}}
        changes = {
            "bind_addresses": [LOOPBACK, address],
            "rtc": {"node_ip": address, **alone},
        }
        super().__init__(folder, changes, **options)

    @property
    def url(self) -> str:
        """Where everybody connects, whether near or far away."""
        return f"ws://{self._address}:{self.port}"


def measure_distance(effort: Effort, folder: Path) -> list[Section]:
    """Measure at every distance; where none can be made, say so and measure nothing."""
    try:
        with far_away(folder) as far, _stage(far, folder) as stage:
            return to_sections(_Run(effort, far, stage).all(), effort.distant_joins)
    except CannotBeFarError as error:
        say(f"distance cannot be measured on this machine: {error}")
        return []


@contextmanager
def _stage(far: FarAway, folder: Path) -> Iterator[JoinStage]:
    web_port = free_port()
    origin = f"http://{far.near}:{web_port}"
    # A microphone is for pages of https and of loopback.
    flags = (f"--unsafely-treat-insecure-origin-as-secure={origin}",)
    reachable = partial(_ReachableLiveKit, address=far.near)
    with (
        start_livekit(folder, webhook_urls=[f"{origin}/webhook"], start=reachable) as livekit,
        rested_worker(livekit, folder) as worker,
        joining_page(origin, chromium=far.chromium(), flags=flags) as page,
    ):
        yield JoinStage(
            livekit=livekit,
            worker=worker,
            page=page,
            web_port=web_port,
            folder=folder,
            host=far.near,
        )


class _Run:
    def __init__(self, effort: Effort, far: FarAway, stage: JoinStage) -> None:
        self._effort, self._far, self._stage = effort, far, stage

    def all(self) -> Found:
        """Measure every place, by every way."""
        found: dict[Place, Mapping[str, list[float]]] = {}
        with self._stage.token_server(JOIN):
            for per_second in _TOKENS_PER_SECOND:
                with unjoined_tokens(self._far.near, self._stage.web_port, per_second=per_second):
                    for journey in _JOURNEYS:
                        place = Place(journey=journey, tokens_per_second=per_second)
                        found[place] = self._joins(place, (LIVEKITS_OWN, OURS))
        with self._stage.token_server(TOKEN):
            for journey in _JOURNEYS:
                place = Place(journey=journey)
                found[place] = {**found[place], **self._joins(place, (TOKEN_MODE,))}
        return found

    def _joins(self, place: Place, ways: tuple[str, ...]) -> dict[str, list[float]]:
        """Join in turns; the first of each way warms up, and does not count."""
        say(f"distance: {place}")
        self._far.travel(place.journey)
        for way in ways:
            self._subscribed_ms(way)
        milliseconds: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(self._effort.distant_joins):
            for way in ways[:: -1 if number % 2 else 1]:
                milliseconds[way].append(self._subscribed_ms(way))
        for way in ways:
            say(f"    {way}: {', '.join(f'{each:.0f}' for each in milliseconds[way])} ms")
        return milliseconds

    def _subscribed_ms(self, way: str) -> float:
        try:
            return self._stage.join(_WAYS[way]).subscribed_ms
        except PageError as error:
            say(f"    {way}: {error.message.splitlines()[0]}")
            return float("inf")
