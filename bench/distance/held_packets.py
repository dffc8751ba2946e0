"""Packets on their way between here and far away. No I/O."""

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, kw_only=True)
class Journey:
    """How far away it is.

    Attributes:
        round_trip_ms: There and back.
        lost_percent: Of the packets, each way.
    """

    round_trip_ms: int
    lost_percent: int = 0

    def __str__(self) -> str:
        """Name it, as a table does."""
        lost = f", {self.lost_percent} % lost" if self.lost_percent else ""
        return f"{self.round_trip_ms} ms{lost}"


class HeldPackets:
    """Each packet waits for half a round trip; those of one way stay in their order.

    A journey that becomes shorter overtakes what is under way.
    """

    def __init__(self, journey: Journey) -> None:
        self.journey = journey
        self._random = Random(0)  # noqa: S311 (which packets are lost)
        self._numbers = itertools.count()
        self._held: list[tuple[float, int, int, bytes]] = []

    def take(self, packet: bytes, to: int, now: float) -> None:
        """Send a packet on its way; `to` is where it comes out."""
        if self._random.random() < self.journey.lost_percent / 100:
            return
        due = now + self.journey.round_trip_ms / 2000
        heapq.heappush(self._held, (due, next(self._numbers), to, packet))

    def arrived(self, now: float) -> Iterator[tuple[int, bytes]]:
        """Hand over the packets whose time has come."""
        while self._held and self._held[0][0] <= now:
            _, _, to, packet = heapq.heappop(self._held)
            yield to, packet

    def seconds_left(self, now: float) -> float | None:
        """Return how long until the next one comes out; None: none is under way."""
        return max(0.0, self._held[0][0] - now) if self._held else None
