"""How long the measurements take: enough to believe, or a first answer. No I/O."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How often, and how long in seconds.

    Attributes:
        starts: Starts of the web process.
        rounds: Rounds of load; each visits every server once.
        load_seconds: One measurement of load at 16 connections.
        lone_seconds: One with a single connection.
        join_blocks: Blocks of joins for each way, in turns with the other ways.
        joins_per_block: Joins that count; one before them does not.
    """

    starts: int = 5
    rounds: int = 7
    load_seconds: float = 4.0
    lone_seconds: float = 1.5
    join_blocks: int = 4
    joins_per_block: int = 5

    @property
    def joins(self) -> int:
        """The joins of each way that count."""
        return self.join_blocks * self.joins_per_block


FULL = Effort()
QUICK = Effort(
    starts=3,
    rounds=3,
    load_seconds=2.0,
    lone_seconds=0.5,
    join_blocks=2,
    joins_per_block=3,
)
