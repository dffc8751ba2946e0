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
        distant_joins: Joins of each way at each distance.
        rooms: LiveKit of each cell of the reliability table.
        patience: Seconds after which a room of it without an agent counts as one without.
        is_thorough: Whether that table has all scenarios.
        calls: Calls with an agent, for each choice of webhooks.
        silences: Rounds of each fault whose silence is measured.
        rooms_followed: Numbers of rooms for which tokens are issued, and nobody joins.
        rooms_peopled: Numbers of rooms with a human.
        requests: Bad ones, and good ones, that memory is watched over.
        slow_clients: Connections of each kind of them.
        mutations: Mutated requests, half of them behind nginx.
        steady_minutes: Calls are held for so long.
        quota_calls: Calls that are held, and tokens that nobody joins with, within LiveKit's quota.
        quota_seconds: For how long joins go on beside them.
        rooms_simulated: Numbers of rooms of a simulated LiveKit.
        rooms_shared: Rooms of it that two groups of processes share.
        strikes: Agents of it that go, and as many that are killed.
        growth_seconds: One measurement of what these cost; two sweeps are 10 s.
    """

    starts: int = 5
    rounds: int = 5
    load_seconds: float = 3.0
    lone_seconds: float = 1.5
    join_blocks: int = 4
    joins_per_block: int = 5
    distant_joins: int = 30
    rooms: int = 10
    patience: float = 10.0
    is_thorough: bool = True
    calls: int = 40
    silences: int = 5
    rooms_followed: tuple[int, ...] = (1, 10, 50, 100, 200)
    rooms_peopled: tuple[int, ...] = (1, 10, 25, 50, 100)
    rooms_simulated: tuple[int, ...] = (100, 1_000, 5_000)
    rooms_shared: int = 1_000
    strikes: int = 30
    steady_minutes: float = 30.0
    quota_calls: int = 60
    quota_seconds: float = 300.0
    growth_seconds: float = 10.0
    requests: int = 100_000
    slow_clients: int = 2_000
    mutations: int = 500_000

    @property
    def joins(self) -> int:
        """The joins of each way that count."""
        return self.join_blocks * self.joins_per_block


FULL = Effort()
QUICK = Effort(
    starts=3,
    rounds=1,
    load_seconds=1.5,
    lone_seconds=0.5,
    join_blocks=1,
    joins_per_block=3,
    distant_joins=3,
    rooms=3,
    patience=8.5,
    is_thorough=False,
    calls=10,
    silences=1,
    rooms_followed=(200,),
    rooms_peopled=(25,),
    quota_seconds=60.0,
    rooms_simulated=(100,),
    strikes=5,
    growth_seconds=5.0,
    requests=10_000,
    slow_clients=200,
    mutations=10_000,
)
