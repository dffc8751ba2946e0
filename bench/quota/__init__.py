"""Whether LiveKit's quota of requests is kept, and what humans notice of it."""

from bench.quota.measure import measure_quota

__all__ = ["measure_quota"]
