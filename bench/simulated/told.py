"""What was asked of the simulated LiveKit, and by whom. No I/O."""

import base64
import time
from binascii import Error
from collections import Counter, defaultdict
from collections.abc import Callable

# Who asks these of a room looks after it.
_LOOKS = {"ListParticipants", "PerformRpc"}


class Told:
    """Counts requests by method, and remembers who looked at which room last.

    Who asks is known by the user that they give a proxy: the measured processes take the simulated
    LiveKit itself for one (client.py).

    Args:
        clock: Unix seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._looked: defaultdict[str, dict[str, float]] = defaultdict(dict)

    def asked(self, method: str, room_name: str, proxy_authorization: str) -> None:
        """Count a request."""
        self.calls[method] += 1
        if method in _LOOKS:
            self._looked[_user(proxy_authorization)][room_name] = self._clock()

    def refuse(self, status: int) -> None:
        """Count one that is refused."""
        self.refused[str(status)] += 1

    def looked_since(self, since: float) -> dict[str, list[str]]:
        """Return who has looked at which rooms since then."""
        return {
            who: [room_name for room_name, at in rooms.items() if at >= since]
            for who, rooms in self._looked.items()
        }


def _user(proxy_authorization: str) -> str:
    try:
        login = base64.b64decode(proxy_authorization.removeprefix("Basic ")).decode()
    except (Error, UnicodeDecodeError):
        return ""
    return login.partition(":")[0]
