"""The gunicorn worker that serves: gevent's, which here stops as soon as the answers are out.

Every connection has a greenlet of its own: no request is handed from thread to thread, which
costs as much as the rest of it (docs/benchmarks.md), and a slow client holds nobody up. Waiting for
LiveKit lets others run, and nothing here computes for longer than a fraction of a millisecond.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import gevent
from greenlet import getcurrent, greenlet
from gunicorn.workers.ggevent import GeventWorker


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
        self._waiting[waiting] = timeout
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

        The first second after SIGTERM is for requests that are on their way already.
        """
        super().notify()
        if not self.alive:
            for waiting, timeout in list(self._waiting.items()):
                gevent.kill(waiting, timeout)

    def init_process(self) -> None:
        """Serve until told to stop."""
        self._waiting: dict[greenlet, gevent.Timeout] = {}
        super().init_process()
