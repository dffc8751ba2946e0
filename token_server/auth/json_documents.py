"""An issuer's JSON document, within a time in all: names, connections, drops of bytes included.

A time-out of a socket counts from byte to byte, and looking up a name has none. So the document is
fetched in a thread of its own, and who waits for it hangs up when the time is over.
"""

import json
import socket
import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import InvalidStateError as TooLateError
from contextlib import suppress
from http.client import HTTPException
from threading import Thread
from typing import Any, NamedTuple

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from token_server.errors import IssuerUnavailableError, IssuerUntrustedError
from token_server.livekit.routes import Route
from token_server.proxies import LOOPBACK, Proxies, reason_of, through

_HTTP_OK = 200
# Bytes; a key takes about 1 KiB.
_DOCUMENT_LIMIT = 256 * 1024
_PLAIN_HTTP = (
    "is plain http: whoever can answer there in the issuer's place can log in as anybody;"
    " TOKEN_JWT_TRUST_PLAIN_HTTP=1 allows it"
)
_CONNECTIONS = {"http": HTTPConnection, "https": HTTPSConnection}


class HttpGet(NamedTuple):
    """What to ask for, and what is said besides."""

    target: str
    headers: Mapping[str, str]


def fetch_json_object(
    url: str, ends_at: float, *, proxies: Proxies, trusts_http: bool = False
) -> dict[str, Any]:
    """GET a JSON object; redirects are not followed.

    Args:
        url: Of http or https.
        ends_at: When there has to be an answer, as `time.monotonic` counts.
        proxies: What leads there.
        trusts_http: Whether plain http may lead to another machine.

    Raises:
        IssuerUnavailableError: It is not there, not in time, or no JSON object.
        IssuerUntrustedError: Others could answer in its place.
    """
    way = ""
    try:
        proxy = proxies.to(url)
        way = through(url, proxy)
        if _is_open(url) and not trusts_http:
            raise IssuerUntrustedError(f"{url} {_PLAIN_HTTP}")
        status, body = _get(url, ends_at, proxy)
        document = json.loads(body) if status == _HTTP_OK else None
    except (HTTPError, HTTPException, OSError, ValueError, RecursionError) as error:
        raise IssuerUnavailableError(f"{url} does not answer{way}: {reason_of(error)}") from error
    if not isinstance(document, dict):
        raise IssuerUnavailableError(f"{url} answers{way} HTTP {status} and no JSON object")
    return document


def _is_open(url: str) -> bool:
    """Whether others could answer in the place of who is there."""
    parts = parse_url(url)
    return parts.scheme == "http" and (parts.host or "").strip("[]") not in LOOPBACK


def _get(url: str, ends_at: float, proxy: str) -> tuple[int, bytes]:
    """Wait here for what another greenlet reads; TimeoutError when the time is over."""
    parts = parse_url(url)
    if parts.scheme not in _CONNECTIONS or not parts.host:
        raise ValueError
    left = max(ends_at - time.monotonic(), 0.001)
    route = Route(f"{parts.scheme}://{parts.netloc}", proxy)
    connection = _CONNECTIONS[parts.scheme](route.host, route.port, timeout=left)
    if route.tunnel:
        connection.set_tunnel(*route.tunnel)
    request = HttpGet(f"{route.prefix}{parts.request_uri}", route.headers)
    answer: Future[tuple[int, bytes]] = Future()
    reader = Thread(target=_read, args=(connection, request, answer), daemon=True)
    reader.start()
    try:
        return answer.result(left)
    finally:
        answer.cancel()
        _hang_up(connection)


def _read(connection: HTTPConnection, request: HttpGet, answer: Future[tuple[int, bytes]]) -> None:
    try:
        connection.connect()
        # Nobody waits any more: looking up the name, or connecting, took all the time.
        if answer.cancelled():
            return
        connection.request("GET", request.target, headers=request.headers, preload_content=False)
        response = connection.getresponse()
        answer.set_result((response.status, response.read(_DOCUMENT_LIMIT)))
    except Exception as error:  # noqa: BLE001 (raised again where it is waited for, if it still is)
        with suppress(TooLateError):
            answer.set_exception(error)
    finally:
        connection.close()


def _hang_up(connection: HTTPConnection) -> None:
    """End what the reader waits for, so that its thread ends; nothing where it has read all."""
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)  # None before it is connected, and when closed
