"""Long work in slices, between which the other greenlets of the process have their turn."""

import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
# Seconds. With 0 gevent goes on with greenlets that are ready, and looks at no socket or timer.
_TURN = 0.0001


def give_way() -> None:
    """Let everybody else who has something to do have a turn."""
    time.sleep(_TURN)


def slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield all items in order, so many at a time, and give way between."""
    for start in range(0, len(items), size):
        if start:
            give_way()
        yield items[start : start + size]
