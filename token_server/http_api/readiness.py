"""Whether we are of use to callers; LiveKit and Redis are asked once a second, whoever asks us.

Where LiveKit has a quota, that it has answered is good for ten seconds.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from token_server.errors import (
    LiveKitBusyError,
    LiveKitUnavailableError,
    RedisUnavailableError,
    RedisUntrustedError,
)
from token_server.livekit.port import LiveKit

if TYPE_CHECKING:
    from token_server.state.redis_link import RedisLink

T = TypeVar("T")

# Seconds for which an answer is good, and for which one of a LiveKit that has a quota is.
_GOOD_FOR = 1.0
_GOOD_FOR_WITH_QUOTA = 10.0


class Readiness:
    """What /readyz answers.

    Args:
        livekit: LiveKit.
        redis: What several machines share; None if they share nothing.
        has_quota: Whether LiveKit may be asked only so often.
    """

    def __init__(
        self, livekit: LiveKit, redis: "RedisLink | None" = None, *, has_quota: bool = False
    ) -> None:
        self._livekit, self._redis = livekit, redis
        good_for = _GOOD_FOR_WITH_QUOTA if has_quota else _GOOD_FOR
        self._livekits = OnceASecond(self._ask_livekit, good_for=good_for)
        self._found = OnceASecond(self._ask)

    def check(self) -> dict[str, str]:
        """Return that we are ready, and whether Redis answers, if there is to be one.

        With `msg` where a setting decides that it does not, and with `livekit` where that has had
        too many requests: callers are served all the same, as far as it lets us.

        Raises:
            TokenServerError: LiveKit does not answer, or does not accept our key.
        """
        return self._found.answer()

    def _ask(self) -> dict[str, str]:
        return {"status": "ready", **self._livekits.answer(), **self._ask_redis()}

    def _ask_livekit(self) -> dict[str, str]:
        try:
            # A name that no room has: LiveKit has to accept our key, and has nothing to send.
            self._livekit.list_rooms(["token-server-readyz"])
        except LiveKitBusyError:
            return {"livekit": "limited"}
        return {}

    def _ask_redis(self) -> dict[str, str]:
        if self._redis is None:
            return {}
        try:
            self._redis.ask(lambda connection: connection.ping())
        except RedisUntrustedError as error:
            return {"redis": "unavailable", "msg": str(error)}
        except RedisUnavailableError:
            return {"redis": "unavailable"}
        return {"redis": "ready"}


class OnceASecond(Generic[T]):
    """Asks at most once a second, from whichever thread comes first.

    Everybody else gets what that one got: who comes while it asks waits for it, and who comes
    within a second of its answer does not wait. An error is an answer.

    Args:
        ask: What is to be asked so seldom.
        clock: Tells the time in seconds.
        good_for: Seconds for which an answer is good, where it is no error.
    """

    def __init__(
        self,
        ask: Callable[[], T],
        clock: Callable[[], float] = time.monotonic,
        good_for: float = _GOOD_FOR,
    ) -> None:
        self._ask, self._clock, self._good_for = ask, clock, good_for
        self._choosing = Lock()
        self._latest: Future[T] = Future()
        self._latest.set_exception(LiveKitUnavailableError("nothing was asked yet"))
        self._good_until = float("-inf")

    def answer(self) -> T:
        """Return the answer, or raise the error, of now or of the last second."""
        with self._choosing:
            is_ours = self._latest.done() and self._clock() >= self._good_until
            if is_ours:
                self._latest = Future()
            latest = self._latest
        if is_ours:
            self._ask_for_all(latest)
        if error := latest.exception():
            # Each raising would add its own lines to those of all before it.
            raise error.with_traceback(None)
        return latest.result()

    def _ask_for_all(self, waited_for: "Future[T]") -> None:
        # Those who wait are told even if whoever asks is stopped meanwhile.
        outcome: T | Exception = LiveKitUnavailableError("the question was given up")
        try:
            outcome = self._ask()
        except Exception as error:  # noqa: BLE001 (raised by everybody who gets it)
            outcome = error
        finally:
            is_error = isinstance(outcome, Exception)
            self._good_until = self._clock() + (_GOOD_FOR if is_error else self._good_for)
            if isinstance(outcome, Exception):
                waited_for.set_exception(outcome)
            else:
                waited_for.set_result(outcome)
