"""What a schedule hands out, by name."""

from token_server.keeper.schedule import Schedule


def take(schedule: Schedule, now: float) -> tuple[str | None, float | None]:
    """Take the next room that is to be looked at; with the wait, if there is none."""
    due, wait = schedule.take(now)
    return due.room_name if due else None, wait


def take_peek(schedule: Schedule, now: float) -> tuple[str | None, float | None]:
    """Take the next room that is to be peeked at."""
    due, wait = schedule.take_peek(now)
    return due.room_name if due else None, wait
