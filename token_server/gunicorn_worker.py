"""The gunicorn worker that serves: gevent's, which here stops as soon as the answers are out.

Every connection has a greenlet of its own: no request is handed from thread to thread, which
costs as much as the rest of it (docs/benchmarks.md), and a slow client holds nobody up. Waiting for
LiveKit lets others run, and nothing here computes for longer than a fraction of a millisecond.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
from greenlet import getcurrent, greenlet
from gunicorn.workers.ggevent import GeventWorker

# Seconds.
_ON_ITS_WAY = 1.0


class PromptWorker(GeventWorker):
    """A gevent worker that closes its idle connections when it stops.

    gunicorn's own waits until each has been idle for `keepalive` seconds, and the connection of
    LiveKit's webhooks always is.
    """

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:  # type: ignore[override]  # the stub has None
        """Wait for a connection's next request, for at most `keepalive` seconds."""
        waiting = getcurrent()
        timeout = gevent.Timeout.start_new(self.cfg.keepalive)
        self._waiting[waiting] = (time.monotonic(), timeout)
        try:
            yield
        except gevent.Timeout as over:
            if over is not timeout:
                raise
        finally:
            del self._waiting[waiting]
            timeout.close()

    def notify(self) -> None:
        """Tell the arbiter every second that we are alive; once we stop, let nobody wait on.

        A connection of the last second may have a request on its way.
        """
        super().notify()
        if self.alive:
            return
        idle_since = time.monotonic() - _ON_ITS_WAY
        for waiting, (since, timeout) in list(self._waiting.items()):
            if since < idle_since:
                gevent.kill(waiting, timeout)

    def init_process(self) -> None:
        """Serve until told to stop."""
        self._waiting: dict[greenlet, tuple[float, gevent.Timeout]] = {}
        super().init_process()
