"""What a schedule is told to follow, and what it hands out, by name."""

from token_server.keeper.following import Awaited
from token_server.keeper.schedule import Schedule


def awaited(ticket: str = "ticket", seconds: float = 600, *, webhooks: bool = False) -> Awaited:
    """Somebody who has a token."""
    return Awaited(ticket=ticket, seconds=seconds, has_webhooks=lambda: webhooks)


def take(schedule: Schedule, now: float) -> tuple[str | None, float | None]:
    """Take the next room that is to be looked at; with the wait, if there is none."""
    due, wait = schedule.take(now)
    return due.room_name if due else None, wait


def take_peek(schedule: Schedule, now: float) -> tuple[str | None, float | None]:
    """Take the next room that is to be peeked at."""
    due, wait = schedule.take_peek(now)
    return due.room_name if due else None, wait
