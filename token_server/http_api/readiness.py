"""Whether we are of use to callers; LiveKit and Redis are asked once a second, whoever asks us."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from token_server.errors import (
    LiveKitUnavailableError,
    RedisUnavailableError,
    RedisUntrustedError,
)
from token_server.livekit.port import LiveKit

if TYPE_CHECKING:
    from token_server.state.redis_link import RedisLink

T = TypeVar("T")

# Seconds for which an answer is good.
_GOOD_FOR = 1.0


class Readiness:
    """What /readyz answers.

    Args:
        livekit: LiveKit.
        redis: What several machines share; None if they share nothing.
    """

    def __init__(self, livekit: LiveKit, redis: "RedisLink | None" = None) -> None:
        self._livekit, self._redis = livekit, redis
        self._found = OnceASecond(self._ask)

    def check(self) -> dict[str, str]:
        """Return that we are ready, and whether Redis answers, if there is to be one.

        With `msg` where a setting decides that it does not.

        Raises:
            TokenServerError: LiveKit does not answer, or does not accept our key.
        """
        return self._found.answer()

    def _ask(self) -> dict[str, str]:
        # A name that no room has: LiveKit has to accept our key, and has nothing to send.
        self._livekit.list_rooms(["token-server-readyz"])
        if self._redis is None:
            return {"status": "ready"}
        try:
            self._redis.ask(lambda connection: connection.ping())
        except RedisUntrustedError as error:
            return {"status": "ready", "redis": "unavailable", "msg": str(error)}
        except RedisUnavailableError:
            return {"status": "ready", "redis": "unavailable"}
        return {"status": "ready", "redis": "ready"}


class OnceASecond(Generic[T]):
    """Asks at most once a second, from whichever thread comes first.

    Everybody else gets what that one got: who comes while it asks waits for it, and who comes
    within a second of its answer does not wait. An error is an answer.

    Args:
        ask: What is to be asked so seldom.
        clock: Tells the time in seconds.
    """

    def __init__(self, ask: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock = ask, clock
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
            self._good_until = self._clock() + _GOOD_FOR
            if isinstance(outcome, Exception):
                waited_for.set_exception(outcome)
            else:
                waited_for.set_result(outcome)
