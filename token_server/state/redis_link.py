"""The way to Redis: short waits, and none at all while it is known not to answer.

Redis saves work and decides nothing, so nobody may wait for it. The log says once, by one process
of the machine, that it does not answer, and once that it does again.
"""

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from filelock import FileLock, Timeout
from redis import ConnectionPool, Redis

from token_server.errors import RedisUnavailableError, RedisUntrustedError
from token_server.state.redis_client import FAILURES, certificate_trouble, open_redis
from token_server.telemetry.outage import Outage

logger = logging.getLogger(__name__)
T = TypeVar("T")
U = TypeVar("U")

# Seconds: to be connected to, and for an answer. Longer, and a lock costs more than it saves.
REDIS_TIMEOUT = 0.3
# Seconds from one try to the next while Redis does not answer.
_TRY_AGAIN_AFTER = 3.0


class RedisLink:
    """Asks Redis, from any thread.

    Args:
        url: `redis://`, `rediss://` or `unix://`, with user and password.
        speaker: Whichever process of this machine holds it writes the log lines.
        try_again_after: Seconds of not asking a Redis that did not answer.
        tell: Is told 1 when Redis falls silent, and 0 when it answers again: a metric.
    """

    def __init__(
        self,
        url: str,
        speaker: FileLock,
        try_again_after: float = _TRY_AGAIN_AFTER,
        tell: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._redis = open_redis(url, REDIS_TIMEOUT)
        self._speaker, self._try_again_after, self._tell = speaker, try_again_after, tell
        self._changing = Lock()
        self._silent_since: float | None = None  # monotonic; of the last try
        self._untrusted = ""  # why, and what to set, where the last try found that
        self._told = Outage()  # begins only in the process that speaks

    @property
    def connections(self) -> ConnectionPool:
        """For what makes its own client; that one's questions go through `ask` all the same."""
        return self._redis.connection_pool

    def ask(self, question: Callable[["Redis"], T]) -> T:
        """Put a question to Redis.

        Raises:
            RedisUnavailableError: It did not answer in time, refused, or was not asked because
                it had not answered the time before.
            RedisUntrustedError: Of these, the one that setting a variable mends.
        """
        if self._silent_since is not None:
            raise self._error()
        try:
            return question(self._redis)
        except FAILURES as error:
            self._fall_silent(error)
            raise self._error() from None

    def ask_or(self, question: Callable[["Redis"], T], *, otherwise: U) -> T | U:
        """Put a question to Redis; return something else where it does not answer."""
        try:
            return self.ask(question)
        except RedisUnavailableError:
            return otherwise

    def try_again(self) -> None:
        """If Redis has not been asked for some seconds, ask whether it answers again."""
        since = self._silent_since
        if since is None or time.monotonic() - since < self._try_again_after:
            return
        try:
            self._redis.ping()
        except FAILURES as error:
            self._silent_since = time.monotonic()
            self._look_at_certificate(error)
        else:
            self._answer_again()

    def close(self) -> None:
        """Close every connection; the next question opens one."""
        self._redis.close()

    def _fall_silent(self, error: Exception) -> None:
        with self._changing:
            if self._silent_since is not None:
                return
            self._untrusted = certificate_trouble(error)
            self._silent_since = time.monotonic()
            self._tell(1)
            is_told = self._may_speak() and self._told.begins()
        if is_told:
            self._warn(error)

    def _look_at_certificate(self, error: Exception) -> None:
        """Tell what has become of a silence: who comes back may show a certificate we refuse."""
        before, self._untrusted = self._untrusted, certificate_trouble(error)
        if self._untrusted and not before and self._told.is_there:
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        line = f"{self._untrusted}. {_MEANWHILE}" if self._untrusted else _SILENT
        logger.warning(line, extra={"reason": self._reason(error)})

    def _error(self) -> RedisUnavailableError:
        if self._untrusted:
            return RedisUntrustedError(self._untrusted)
        return RedisUnavailableError(_SILENT)

    def _answer_again(self) -> None:
        with self._changing:
            self._silent_since = None
            self._untrusted = ""
            self._tell(0)
            was_told = self._told.ends()
            self._speaker.release()
        if was_told:
            logger.info("Redis answers again")

    def _may_speak(self) -> bool:
        try:
            self._speaker.acquire()
        except Timeout:
            return False
        except (OSError, NotImplementedError):
            return True
        return True

    def _reason(self, error: Exception) -> str:
        """Say what went wrong; the text may be Redis's own, and a proxy's may repeat anything."""
        text = f"{type(error).__name__}: {error}"
        options = self._redis.get_connection_kwargs()
        # Where there is only a user, it is often a password whose colon was forgotten.
        password = options.get("password") or options.get("username")
        return text.replace(password, "***") if password else text


_SILENT = "Redis does not answer: agents are sent as ever, and each machine locks for itself"
_MEANWHILE = "Until then agents are sent as ever, and each machine locks for itself"
