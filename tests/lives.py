"""Which agents live, as tests say it."""

from token_server.keeper.agent_life import LifeLimits
from token_server.keeper.life_watch import LifeWatch
from token_server.livekit.port import LiveKit


def unasked(rooms: LiveKit) -> LifeWatch:
    """Return a watch that is off: every agent that is listed lives."""
    return LifeWatch(rooms, LifeLimits(silent=0, blocked=0))
