"""Which humans this process has issued a token for and not yet seen attended. No I/O."""

from threading import Lock

from token_server.state.bounded import Bounded

# As many as rooms are followed (schedule.py); who was expected for longest is forgotten first.
_EXPECTED = 10_000


class AwaitedHumans:
    """Notices each human's arrival once, and their being attended once. Thread-safe.

    A token is issued by one process, so one process notices: the sum over all counts nobody
    twice.
    """

    def __init__(self) -> None:
        self._expected: Bounded[int, bool] = Bounded(_EXPECTED)  # a ticket's hash: is here
        self._lock = Lock()

    def expect(self, sealed_ticket: str) -> None:
        """Wait for the human with this ticket."""
        with self._lock:
            self._expected[hash(sealed_ticket)] = False

    def has_come(self, sealed_ticket: str) -> bool:
        """Whether this human was expected, and is here for the first time."""
        with self._lock:
            if self._expected.get(hash(sealed_ticket), True):
                return False
            self._expected[hash(sealed_ticket)] = True
            return True

    def is_attended(self, sealed_ticket: str) -> bool:
        """Whether this human was expected, and is attended for the first time."""
        with self._lock:
            return self._expected.pop(hash(sealed_ticket), None) is not None
