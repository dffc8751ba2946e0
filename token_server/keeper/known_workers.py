"""What workers of ours have told, as a look needs it (state/workers.py). Pure, no I/O.

LiveKit tells nobody which workers are registered, or who was offered a job. Foreign workers tell
nothing: of what is not told, nothing is known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from token_server.livekit.port import Dispatch
from token_server.state.workers import Told


@dataclass(frozen=True, kw_only=True)
class WorkerNews:
    """What is known of the workers of one name.

    Attributes:
        in_hand: The dispatches that a living worker has.
        lapsed: Those that no living worker has, though all of ours tell.
        is_full: Whether none that lives has room; False where that is not known.
        has_silent: Whether one is not heard any more that did not leave: LiveKit may ask it first.
        newest_at: When the last of those that live was registered, by LiveKit's clock.
    """

    in_hand: frozenset[str] = frozenset()
    lapsed: frozenset[str] = frozenset()
    is_full: bool = False
    has_silent: bool = False
    newest_at: datetime | None = None


NOTHING_TOLD = WorkerNews()


def worker_news(
    told: Told, agent_name: str, dispatches: Iterable[Dispatch], now: datetime
) -> WorkerNews:
    """Return what is known of the workers of a name, and of its dispatches."""
    hands = {
        dispatch.dispatch_id: told.hands(dispatch.dispatch_id, agent_name)
        for dispatch in dispatches
        if dispatch.agent_name == agent_name
    }
    ago = told.registered_ago(agent_name)
    return WorkerNews(
        in_hand=frozenset(one for one, is_in_hand in hands.items() if is_in_hand),
        lapsed=frozenset(one for one, is_in_hand in hands.items() if is_in_hand is False),
        is_full=told.has_room(agent_name) is False,
        has_silent=told.has_silent(agent_name),
        newest_at=None if ago is None else now - timedelta(seconds=ago),
    )
