"""A server of plain sockets on loopback, for what no HTTP server would do; and an HTTP proxy."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

Serve = Callable[[socket.socket], None]


@dataclass
class RawServer:
    """Where it listens, and what has come."""

    port: int
    over: Event = field(default_factory=Event)
    connections: list[socket.socket] = field(default_factory=list)
    ended: int = 0  # connections that nobody serves any more

    def run(self, listener: socket.socket, serve: Serve) -> None:
        """Serve each connection in a thread of its own until it is over."""
        threads = []
        listener.settimeout(0.02)
        while not self.over.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                self.connections.append(connection)
                threads.append(Thread(target=self._serve, args=(serve, connection)))
                threads[-1].start()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()

    def _serve(self, serve: Serve, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            serve(connection)
        self.ended += 1


@contextmanager
def raw_server(serve: Serve, host: str = "127.0.0.1") -> Iterator[RawServer]:
    """Serve connections to a free port; when it is over, all of them are closed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        server = RawServer(listener.getsockname()[1])
        thread = Thread(target=server.run, args=(listener, serve))
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            thread.join()


def read_request(connection: socket.socket) -> tuple[str, bytes]:
    """Read a request's head and body; OSError when no more comes."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0
    )
    while len(body) < length:
        body += _more(connection)
    return head.decode(), body


def _more(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise ConnectionError
    return received


def tunnel_to(port: int, heads: list[str]) -> Serve:
    """Return a proxy that lets CONNECT through to a port, and notes what it was asked."""

    def serve(client: socket.socket) -> None:
        head, _ = read_request(client)
        heads.append(head)
        with socket.create_connection(("127.0.0.1", port)) as server:
            _connect(client, server)

    return serve


def tunnels(ports: Mapping[str, int], heads: list[str]) -> Serve:
    """Return a proxy that knows these names, each a port of this machine, and no others."""

    def serve(client: socket.socket) -> None:
        head, _ = read_request(client)
        heads.append(head)
        method, name, *_ = head.split()
        if method != "CONNECT" or name not in ports:
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", ports[name])) as server:
            _connect(client, server)

    return serve


def _connect(client: socket.socket, server: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 Connection established\r\nVia: a proxy\r\n\r\n")
    relay(client, server)


def relay(client: socket.socket, server: socket.socket) -> None:
    """Pass everything on, both ways, until one side ends it."""
    back = threading.Thread(target=_pass_on, args=(server, client))
    back.start()
    _pass_on(client, server)
    back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while received := source.recv(65536):
            target.sendall(received)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
