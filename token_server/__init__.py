"""Signs LiveKit tokens and keeps one agent in every room that a human is in."""

__version__ = "0.1.0"
