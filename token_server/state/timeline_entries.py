"""Timeline entries as a shelf keeps them, by this version or another. Pure.

Old and new token servers share one shelf while an upgrade is under way. Each reads what it knows,
and passes over events, facts and rows that it does not.
"""

import json
from collections.abc import Sequence
from typing import cast

from token_server.state.timeline import Entry, EntryDetails, Event

_FACTS = EntryDetails.__annotations__.keys()
_EVENTS = frozenset(Event)


def entry_of(room_name: str, row: Sequence[object]) -> Entry | None:
    """Return an entry as far as this version knows it; None if it does not know the event.

    Args:
        room_name: Where.
        row: What Entry has, but the room, in its order.
    """
    at, event, subject, facts, process = row
    if not isinstance(event, str) or event not in _EVENTS:
        return None
    if not isinstance(at, int | float) or not isinstance(facts, dict):
        return None
    known = {name: fact for name, fact in facts.items() if name in _FACTS and isinstance(fact, str)}
    return Entry(
        room_name,
        float(at),
        Event(event),
        subject if isinstance(subject, str) else "",
        cast("EntryDetails", known),
        process if isinstance(process, str) else "",
    )


def from_json(text: str | bytes | None) -> object:
    """Return what a shelf keeps as JSON; None if it is something else."""
    try:
        return cast("object", json.loads(text or ""))
    except ValueError:
        return None
