"""How late the agent comes to a human who is far away, by LiveKit's own dispatch and by ours."""

from bench.distance.measure import measure_distance

__all__ = ["measure_distance"]
