"""What all processes remember of LiveKit's webhooks: the time of the last one of each sign."""

from collections.abc import Sequence
from enum import StrEnum


class Sign(StrEnum):
    """What is remembered; the value is part of a file's name, and of a key in Redis."""

    ANY = "webhook"  # a webhook has come, of whatever event
    JOIN = "webhook-join"  # one told of somebody's join
    ROOM = "webhook-room"  # one told of a new room
    MISSED = "webhook-missed"  # a look found somebody of whose join no webhook had told


_OF_EVENTS = {"participant_joined": Sign.JOIN, "room_started": Sign.ROOM}


def signs_of(event: str) -> Sequence[Sign]:
    """Return what a webhook with this event is a sign of."""
    return [Sign.ANY, _OF_EVENTS[event]] if event in _OF_EVENTS else [Sign.ANY]
