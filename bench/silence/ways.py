"""The ways to have an agent in a call that are compared, and what goes wrong in each."""

from dataclasses import dataclass

from bench.reliability.strategies import Strategy, mint_naming_agent
from bench.servers import (
    start_agents_js,
    start_naive,
    start_our_worker,
    start_ours,
    start_sounding_worker,
)
from bench.silence.faults import Fault

_OURS_ONLY = {Fault.LOOP_BLOCKED}
_EVERYWHERE = frozenset(set(Fault) - _OURS_ONLY)


@dataclass(frozen=True, kw_only=True)
class Way:
    """One of them.

    Attributes:
        strategy: Its token server and its workers.
        faults: What goes wrong in it.
        replaces: Whether it sends another agent: what happens at the same time would disturb.
    """

    strategy: Strategy
    faults: frozenset[Fault] = _EVERYWHERE
    replaces: bool = True

    @property
    def name(self) -> str:
        """The head of its column."""
        return self.strategy.name


OURS = "ours"
FOREIGN = "ours, foreign agents"
AGENTS_JS = "ours, agents-js"
WAYS = (
    Way(
        strategy=Strategy(name=OURS, start_web=start_ours, start_worker=start_our_worker),
        faults=frozenset(Fault),
    ),
    Way(
        strategy=Strategy(name=FOREIGN, start_web=start_ours, start_worker=start_sounding_worker),
    ),
    Way(
        strategy=Strategy(name=AGENTS_JS, start_web=start_ours, start_worker=start_agents_js),
        faults=frozenset({Fault.AGENT_KILLED, Fault.AGENT_FROZEN}),
    ),
    Way(
        strategy=Strategy(
            name="LiveKit alone", mint=mint_naming_agent, start_worker=start_sounding_worker
        ),
        replaces=False,
    ),
    Way(
        strategy=Strategy(
            name="naive webhook", start_web=start_naive, start_worker=start_sounding_worker
        ),
        replaces=False,
    ),
)
