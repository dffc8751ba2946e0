"""Kept-alive HTTP connections to one server, used from the caller's own thread or greenlet.

Clients that others keep are too slow for /token's bars. Processor time of a call to CreateRoom on a
live room (livekit-server 1.13.5, under gevent): http.client takes 0.08 ms more than httptools over
sockets where one call follows another, and 0.15 ms more in a server under load; urllib3 and
httpcore take 0.3 ms more. geventhttpclient's pool fails as soon as a second thread uses it ("Cannot
switch to a different thread"), which the doctor does. So http.client connects, through proxies too,
httptools (Node's parser) reads the answers, and here is what none of them has: time-outs that are
total, DNS included, and what to do about a kept connection that has died in silence.
"""

import http.client
import ssl
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Semaphore, Thread

from token_server.livekit.connection import Connection, HttpAnswer, HttpRequest, left
from token_server.livekit.routes import Route

# What a burst has opened beyond this is closed after use.
_MOST_IDLE = 32
# Seconds. Routers that translate addresses forget a silent connection, some after a minute, and
# tell nobody.
_LONGEST_IDLE = 30.0
_JUST_NOW = 0.5
# A resolver that hangs gets no more threads than this.
_MOST_CONNECTING = 64


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long the server may take, in seconds.

    Attributes:
        connect: For a new connection: DNS, TCP, a proxy's CONNECT and TLS together.
        answer: For the whole call, with every connection and repetition in it.
    """

    connect: float
    answer: float

    @property
    def reused(self) -> float:
        """For an answer on a kept connection: it may be dead, and time has to be left for another.

        An answer that takes longer (ListDispatch on a missing room: 3.0 s) is asked for twice.
        """
        return 0.4 * self.answer


class CutOffError(OSError):
    """There is no whole HTTP answer; the request may have arrived, or not."""


class Connections:
    """A pool: as many connections as calls at the same time. Safe to use from several threads.

    Args:
        route: The way to the server.
        timeouts: How long it may take.
        monotonic: Seconds that never go back.
        count: Called before each request that is sent, repetitions too.
    """

    def __init__(
        self,
        route: Route,
        timeouts: Timeouts,
        monotonic: Callable[[], float] = time.monotonic,
        count: Callable[[], None] = lambda: None,
    ) -> None:
        self._route, self._timeouts, self._monotonic = route, timeouts, monotonic
        self._count = count
        self._tls = ssl.create_default_context() if route.is_tls else None
        self._idle: deque[tuple[float, Connection]] = deque()  # the longest idle first
        self._lock, self._connecting = Lock(), Semaphore(_MOST_CONNECTING)

    def ask(self, request: HttpRequest) -> HttpAnswer:
        """Send a request and read the whole answer.

        A repeatable request is sent once more, over a new connection, if it was cut off, or got no
        answer over a kept one: that may have died in silence.

        Raises:
            OSError: No answer, and no more is known; TimeoutError: not in time.
        """
        ends_at = time.monotonic() + self._timeouts.answer
        kept = self._take(is_repeatable=request.is_repeatable)
        connection = kept or self._connect(ends_at)
        if not request.is_repeatable:
            return self._exchange(connection, request, ends_at)
        patience = self._timeouts.reused if kept else self._timeouts.answer
        try:
            return self._exchange(connection, request, min(time.monotonic() + patience, ends_at))
        except CutOffError:
            pass
        except TimeoutError:
            if not kept:
                raise
            # What has silenced this one has silenced the others.
            self.close()
        return self._exchange(self._connect(ends_at), request, ends_at)

    def close(self) -> None:
        """Close what nobody uses at the moment."""
        self._close_idle(longer_than=float("-inf"))

    def _exchange(
        self, connection: Connection, request: HttpRequest, deadline: float
    ) -> HttpAnswer:
        self._count()
        try:
            answer, is_kept = connection.ask(request, deadline)
        except (ConnectionError, ssl.SSLError) as error:
            connection.close()
            raise CutOffError(type(error).__name__) from error
        except BaseException:
            connection.close()
            raise
        with self._lock:
            is_kept = is_kept and len(self._idle) < _MOST_IDLE
            if is_kept:
                self._idle.append((self._monotonic(), connection))
        if not is_kept:
            connection.close()
        return answer

    def _take(self, *, is_repeatable: bool) -> Connection | None:
        """Return the connection that was used last and has not ended; None if there is none.

        To look whether one has ended takes time. Where it was used just now, and the request may
        be sent again, it is better to try.
        """
        self._close_idle(longer_than=_LONGEST_IDLE)
        while True:
            with self._lock:
                if not self._idle:
                    return None
                since, connection = self._idle.pop()
            was_used_just_now = self._monotonic() - since < _JUST_NOW
            if (is_repeatable and was_used_just_now) or not connection.has_ended():
                return connection
            connection.close()

    def _close_idle(self, longer_than: float) -> None:
        with self._lock:
            before = self._monotonic() - longer_than
            while self._idle and self._idle[0][0] < before:
                self._idle.popleft()[1].close()

    def _connect(self, ends_at: float) -> Connection:
        """Connect in a thread of its own (a greenlet under gevent): nothing interrupts DNS."""
        deadline = min(time.monotonic() + self._timeouts.connect, ends_at)
        connection = Connection(self._route, self._tls, deadline)
        if not self._connecting.acquire(timeout=left(deadline)):
            raise TimeoutError
        connected: Future[None] = Future()
        Thread(target=self._establish, args=(connection, connected), daemon=True).start()
        try:
            connected.result(left(deadline))
        except (http.client.HTTPException, UnicodeError) as error:  # a proxy's, IDNA's
            raise CutOffError(type(error).__name__) from error
        except BaseException:
            # Whoever comes too late closes it.
            (connection.interrupt if connected.cancel() else connection.close)()
            raise
        return connection

    def _establish(self, connection: Connection, connected: "Future[None]") -> None:
        try:
            connection.connect()
        except BaseException as error:  # noqa: BLE001 (it is raised where it is waited for)
            connection.close()
            if connected.set_running_or_notify_cancel():
                connected.set_exception(error)
        else:
            if connected.set_running_or_notify_cancel():
                connected.set_result(None)
            else:
                connection.close()
        finally:
            self._connecting.release()

    def __del__(self) -> None:
        """Leave no socket to the garbage collector."""
        self.close()
