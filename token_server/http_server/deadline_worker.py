"""The gunicorn worker that serves: gevent's, with a deadline for each wait for a client.

Each connection has a greenlet of its own, no thread, so a slow client holds nobody up, and waiting
for LiveKit lets others run. gevent makes Python's `Thread`, `Lock`, sockets and `time.sleep` into
those of greenlets: the code names threads, and the commands, which run without gevent, have real
ones. Nothing works for longer than 10 ms without a wait (`slices.py`; SQLite's own waits are none,
and `python -m bench --only stalls` measures it). gunicorn reads and writes HTTP, counts requests
and calls hooks. This adds what gunicorn leaves without a limit: how long a client may take over a
head, a body or an answer, and how much it may send behind a refusal.
"""

import socket
import ssl
from contextlib import nullcontext, suppress
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import gevent
import gevent.socket
from gevent.lock import BoundedSemaphore
from gunicorn import util
from gunicorn.http import errors
from gunicorn.http.body import Body
from gunicorn.workers.ggevent import GeventWorker

from token_server.errors import code_of, error_body
from token_server.http_server.client_waits import ClientWaits, TimelyReader
from token_server.http_server.high_water import HighWater
from token_server.http_server.plugin_search import one_search

# Seconds. Who sends request after request waits so long at most for nobody else to want anything.
_TURN = 0.05
_STATUSES: dict[type[BaseException], HTTPStatus] = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    # gunicorn's 501 is what wakes operators, and any client can cause it.
    errors.UnsupportedTransferCoding: HTTPStatus.BAD_REQUEST,
    # The application's own header is wrong, not the client's.
    errors.InvalidResponseHeader: HTTPStatus.INTERNAL_SERVER_ERROR,  # type: ignore[attr-defined]
    errors.InvalidResponseHeaderName: HTTPStatus.INTERNAL_SERVER_ERROR,  # type: ignore[attr-defined]
}


class DeadlineWorker(GeventWorker):
    """A gevent worker that ends its waits for clients, once a second (`notify`)."""

    def patch(self) -> None:
        """Make ready to serve."""
        with one_search():
            super().patch()
        self._waits, self._memory, self._pipelined = ClientWaits(), HighWater(), BoundedSemaphore()
        # A process that stops closes its listeners; what is still to be answered asks their names.
        self._names = {listener: _named(listener.getsockname()) for listener in self.sockets}

    def load_wsgi(self) -> None:
        """Load the application; once it has answered, the client has to read."""
        super().load_wsgi()
        application = self.wsgi

        def answer(environ: Any, start_response: Any) -> Any:  # noqa: ANN401  # WSGI's
            answered = application(environ, start_response)
            self._waits.to_read(environ["gunicorn.socket"])
            return answered

        self.wsgi = answer

    def timeout_ctx(self) -> nullcontext[None]:  # type: ignore[override]  # the stub has None
        """Wait for a head; `notify` ends that."""
        return nullcontext()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:  # noqa: ANN401  # gunicorn's own
        """Answer what comes over one connection."""
        with self._waits.connected(client):
            super().handle(self._names[listener], client, addr)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:  # type: ignore[override]  # noqa: ANN401  # gunicorn's own
        """Answer one request, and wait for the first byte of the next."""
        self._waits.are_over(sock)
        _hold_back(sock, 1)
        if getattr(req.body.reader, "length", None) == 0:
            super().handle_request(listener_name, req, sock, addr)
        else:
            self._handle_with_body(listener_name, req, sock, addr)
        _hold_back(sock, 0)
        if received := req.unreader.take_buffered():
            req.unreader.unread(received)
            self._waits.until_read(sock)
            with self._pipelined:
                gevent.with_timeout(_TURN if self.alive else 0, gevent.idle, timeout_value=None)
        elif not getattr(sock, "pending", int)():  # what TLS has decrypted already
            self._waits.to_send(sock, self.cfg.keepalive)
            gevent.socket.wait_read(sock.fileno())
        self._waits.to_send(sock)

    def _handle_with_body(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:  # noqa: ANN401  # gunicorn's own
        reader: Any = TimelyReader(req, self._waits, sock)
        req.body = Body(reader)
        try:
            super().handle_request(listener_name, req, sock, addr)
        finally:
            if not reader.is_read:
                # Closed with something unread, a connection takes the answer with it.
                util.close_graceful(sock)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ANN401  # gunicorn's own
        """Answer a request that could not be read; gunicorn's page and log line quote it."""
        del req
        status = _status_of(exc)
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self.log.warning("Invalid request from %s: %s", addr and addr[0], type(exc).__name__)
        else:
            self.log.error("A request failed", exc_info=exc)
        with suppress(OSError):
            util.write_nonblock(client, _refusal(status))
            util.close_graceful(client)

    def notify(self) -> None:
        """Tell the arbiter that we are alive, and end each wait that lasts too long."""
        super().notify()
        self._memory.note(self._waits.connections)
        self._waits.end_overdue(is_last=not self.alive)


def _hold_back(sock: Any, is_held: int) -> None:  # noqa: ANN401  # a socket
    """Have head and body of an answer, which gunicorn writes apart, go out as one (Linux)."""
    with suppress(OSError, AttributeError):  # no TCP; another system
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, is_held)


def _named(name: Any) -> Any:  # noqa: ANN401  # an address; what gunicorn asks of a listener
    return SimpleNamespace(getsockname=lambda: name)


def _status_of(error: BaseException) -> HTTPStatus:
    """Return the status for what gunicorn found wrong with a request."""
    is_clients = isinstance(error, errors.ParseException | ssl.SSLError)
    usual = getattr(error, "code", HTTPStatus.BAD_REQUEST) if is_clients else 500
    return HTTPStatus(_STATUSES.get(type(error), usual))


def _refusal(status: HTTPStatus) -> bytes:
    body = error_body(code_of(status), f"{status} {status.phrase}")
    lines = (
        f"HTTP/1.1 {status} {status.phrase}",
        "Connection: close",
        "Cache-Control: no-store",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + body
