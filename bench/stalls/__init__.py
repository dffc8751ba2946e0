"""How long the web process does something in one go, while nobody else has a turn."""

from bench.stalls.measure import measure_stalls

__all__ = ["measure_stalls"]
