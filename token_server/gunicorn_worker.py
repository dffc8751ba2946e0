"""The gunicorn worker that serves: gevent's, which here stops as soon as the answers are out.

Every connection has a greenlet of its own: no request is handed from thread to thread, and a slow
client holds nobody up. Waiting for LiveKit lets others run.
"""

import time
from types import TracebackType

import gevent
from greenlet import getcurrent, greenlet
from gunicorn.workers.ggevent import GeventWorker

# Seconds.
_ON_ITS_WAY = 1.0


class _Wait:
    """A connection's wait for its next request, for at most `seconds`; then it just ends."""

    def __init__(self, waits: dict[greenlet, "_Wait"], seconds: float) -> None:
        self._waits, self._seconds = waits, seconds

    def __enter__(self) -> None:
        self.since = time.monotonic()
        self._greenlet = getcurrent()
        self._timeout = gevent.Timeout.start_new(self._seconds)
        self._waits[self._greenlet] = self

    def __exit__(
        self, kind: object, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        del self._waits[self._greenlet]
        self._timeout.close()
        return error is self._timeout

    def end(self) -> None:
        """End it from outside."""
        gevent.kill(self._greenlet, self._timeout)


class PromptWorker(GeventWorker):
    """A gevent worker that closes its idle connections when it stops.

    gunicorn's own waits until each has been idle for `keepalive` seconds, and the connection of
    LiveKit's webhooks always is.
    """

    def timeout_ctx(self) -> _Wait:  # type: ignore[override]  # the stub has None
        """Wait for a connection's next request, for at most `keepalive` seconds."""
        return _Wait(self._waits, self.cfg.keepalive)

    def notify(self) -> None:
        """Tell the arbiter every second that we are alive; once we stop, let nobody wait on.

        A connection of the last second may have a request on its way.
        """
        super().notify()
        if self.alive:
            return
        idle_since = time.monotonic() - _ON_ITS_WAY
        for wait in list(self._waits.values()):
            if wait.since < idle_since:
                wait.end()

    def init_process(self) -> None:
        """Serve until told to stop."""
        self._waits: dict[greenlet, _Wait] = {}
        super().init_process()
