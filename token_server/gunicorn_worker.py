"""The gunicorn worker that serves: gevent's, with some habits of its own.

Every connection has a greenlet of its own: no request is handed from thread to thread, and a slow
client holds nobody up. Waiting for LiveKit lets others run. Plain requests are answered here
(plain_requests.py); the first other one makes the connection gunicorn's.
"""

import os
import select
import socket
import time
from typing import Any

import gevent
from gevent.monkey import get_original
from greenlet import getcurrent
from gunicorn import util
from gunicorn.http.message import Request
from gunicorn.http.wsgi import base_environ
from gunicorn.workers.ggevent import GeventWorker

from token_server.plain_requests import MOST_RECEIVED, answer, read_plain
from token_server.worker_sockets import Answering, Named, Refusing, Resumed

# Seconds.
_ON_ITS_WAY = 1.0


class _WaitedLongEnoughError(Exception):
    """What ends a wait from outside."""


class Wait:
    """A connection's wait for its next request, which just ends when somebody ends it.

    Not if something has come meanwhile, though: a process that was held up has yet to read it.
    """

    def __init__(self, waits: dict[Any, "Wait"], connection: socket.socket) -> None:
        self._waits, self._connection = waits, connection

    def __enter__(self) -> None:
        """Begin to wait."""
        self.since = time.monotonic()
        self._greenlet = getcurrent()
        self._waits[self._greenlet] = self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> bool:
        """End, with nothing to tell if somebody ended it."""
        del self._waits[self._greenlet]
        return kind is _WaitedLongEnoughError

    def end(self) -> None:
        """End it, unless it ends by itself before the event loop comes to it."""
        gevent.get_hub().loop.run_callback(self._end_now)

    def _end_now(self) -> None:
        if self._waits.get(self._greenlet) is self and not _has_come(self._connection):
            self._greenlet.throw(_WaitedLongEnoughError)


def _has_come(connection: socket.socket) -> bool:
    """Whether there is something to be read, without waiting; gevent's own poll would wait."""
    poll = get_original("select", "poll")()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


class PromptWorker(GeventWorker):
    """A gevent worker that answers at once, and closes idle connections when it stops.

    gunicorn's own waits until each has been idle for `keepalive` seconds, and the connection of
    LiveKit's webhooks always is.
    """

    def handle(self, listener: Any, client: Any, addr: Any) -> None:  # noqa: ANN401  # gunicorn's own
        """Answer what comes over one connection."""
        self._connections[getcurrent()] = client
        try:
            self._handle(listener, client, addr)
        finally:
            del self._connections[getcurrent()]

    def _handle(self, listener: Any, client: Any, addr: Any) -> None:  # noqa: ANN401  # gunicorn's own
        if not self._may_be_plain or not isinstance(addr, tuple):
            super().handle(listener, client, addr)
            return
        received = b""
        # A server that stops closes the listener, and still has to answer here.
        named: Any = Named(self._names[listener])
        try:
            client.setblocking(True)  # noqa: FBT003 (a socket's own)
            received = self._answer_plain(client, named.getsockname(), addr)
        except ConnectionError as error:
            self.log.debug("The client has gone: %s", error)
        except Exception as error:  # noqa: BLE001 (gunicorn's to log and to answer)
            self.handle_error(None, client, addr, error)
        if received:
            resumed: Any = Resumed(client, received)
            super().handle(named, resumed, addr)
        else:
            util.close(client)

    def _answer_plain(self, client: socket.socket, server: Any, addr: Any) -> bytes:  # noqa: ANN401  # an address
        """Answer plain requests; return what has come then, b"" if nothing has or will."""
        application: Any = self.wsgi
        about_connection = self._environ | {
            "SERVER_NAME": server[0],
            "SERVER_PORT": str(server[1]),
            "REMOTE_ADDR": addr[0],
            "REMOTE_PORT": str(addr[1]),
        }
        while True:
            received = b""
            with self.timeout_ctx():
                received = client.recv(MOST_RECEIVED)
            # gunicorn counts to max_requests, and closes the connections of a server that stops.
            is_ours = self.alive and self.nr < self.max_requests
            request = read_plain(received) if is_ours else None
            if request is None:
                return received
            self.nr += 1
            client.sendall(answer(application, about_connection | request))

    def handle_request(self, listener_name: Any, req: Request, sock: Any, addr: Any) -> bool:  # noqa: ANN401  # gunicorn's own
        """Answer one request."""
        answering: Any = Answering(sock)
        try:
            return super().handle_request(listener_name, req, answering, addr)
        finally:
            answering.flush()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ANN401  # gunicorn's own
        """Answer a request that could not be read."""
        refusing: Any = Refusing(client)
        super().handle_error(req, refusing, addr, exc)

    def timeout_ctx(self) -> Wait:  # type: ignore[override]  # the stub has None
        """Wait for a connection's next request, until `notify` ends it."""
        return Wait(self._waits, self._connections[getcurrent()])

    def notify(self) -> None:
        """Tell the arbiter every second that we are alive; end the waits that last too long.

        Once we stop, nobody waits on: but a connection of the last second may have a request on
        its way.
        """
        super().notify()
        longest = self.cfg.keepalive if self.alive else _ON_ITS_WAY
        idle_since = time.monotonic() - longest
        for wait in list(self._waits.values()):
            if wait.since < idle_since:
                wait.end()

    def run(self) -> None:
        """Serve; the listeners are asked for their names while they are open."""
        self._names = {listener: listener.getsockname() for listener in self.sockets}
        super().run()

    def init_process(self) -> None:
        """Make ready to serve, and serve until told to stop."""
        # Both by a connection's greenlet.
        self._waits: dict[Any, Wait] = {}
        self._connections: dict[Any, socket.socket] = {}
        self._environ = {**base_environ(self.cfg), "wsgi.multithread": True}
        # What operators may ask of gunicorn beyond gunicorn_conf.py (GUNICORN_CMD_ARGS) is its own
        # to do; so is a unix socket, whose clients have no address.
        self._may_be_plain = not (
            self.cfg.is_ssl or self.cfg.proxy_protocol != "off" or os.environ.get("SCRIPT_NAME")
        )
        super().init_process()
