"""A dict that does not grow without end: what was put in first is forgotten first. No I/O."""

from collections import OrderedDict
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Bounded(OrderedDict[Key, Value]):
    """What may be lost, of rooms and people, who may be any number.

    Args:
        most: How many entries there are at most.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: Key, value: Value) -> None:
        """Put something in; one that is there keeps its place."""
        super().__setitem__(key, value)
        if len(self) > self._most:
            self.popitem(last=False)
