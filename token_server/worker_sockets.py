"""Connections as gunicorn gets them: what it sends and receives, with something done to it."""

import json
import socket
from http import HTTPStatus
from typing import Any


class Answering:
    """A connection, during one answer: what gunicorn sends first, the head, waits for the body.

    Apart they are two calls of the kernel here and two wake-ups of the client.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._head: bytes | None = None
        self._has_sent = False

    def sendall(self, data: bytes) -> None:
        """Send it, behind the head if that has waited; or keep it if it is the head."""
        if self._has_sent:
            self._connection.sendall(data)
        elif self._head is None:
            self._head = data
        else:
            self._has_sent = True
            self._connection.sendall(self._head + data)

    def flush(self) -> None:
        """Send the head of an answer without a body."""
        if self._head is not None and not self._has_sent:
            self._has_sent = True
            self._connection.sendall(self._head)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever a socket has
        """Be the connection itself in everything else, such as `sendfile`."""
        self.flush()
        return getattr(self._connection, name)


class Refusing:
    """A connection, for what gunicorn refuses before the application sees it.

    The status is gunicorn's; the body is ours instead of its HTML, which quotes the request.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def sendall(self, data: bytes) -> None:
        """Send the answer, with an error's body as app.py writes it."""
        head = data.partition(b"\r\n")[0]
        status = HTTPStatus(int(head.split(b" ")[1]))
        code = "internal" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_argument"
        body = json.dumps({"code": code, "msg": f"{status} {status.phrase}"}).encode()
        lines = (
            head,
            b"Connection: close",
            b"Content-Type: application/json",
            b"Cache-Control: no-store",
            b"Content-Length: %d" % len(body),
        )
        self._connection.sendall(b"\r\n".join((*lines, b"", body)))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever a socket has
        """Be the connection itself in everything else."""
        return getattr(self._connection, name)


class Resumed:
    """A connection of which something has been received already."""

    def __init__(self, connection: socket.socket, received: bytes) -> None:
        self._connection, self._received = connection, received

    def recv(self, size: int) -> bytes:
        """Receive that first."""
        if not self._received:
            return self._connection.recv(size)
        part, self._received = self._received[:size], self._received[size:]
        return part

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever a socket has
        """Be the connection itself in everything else."""
        return getattr(self._connection, name)


class Named:
    """A listening socket that may be closed by now, as far as a connection wants to know it."""

    def __init__(self, name: Any) -> None:  # noqa: ANN401  # an address
        self._name = name

    def getsockname(self) -> Any:  # noqa: ANN401  # an address
        """Return where it listens, or did."""
        return self._name
