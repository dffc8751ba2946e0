"""An issuer's JSON document, within a time in all: names, connections, drops of bytes included.

It is fetched as LiveKit is asked (livekit/connections.py), over a connection for it alone.
"""

import json
import time
from http import HTTPStatus
from typing import Any

from urllib3.util import parse_url

from token_server.errors import IssuerUnavailableError, IssuerUntrustedError
from token_server.livekit.connection import HttpAnswer, HttpRequest
from token_server.livekit.connections import Connections, Timeouts
from token_server.livekit.routes import Route
from token_server.proxies import LOOPBACK, Proxies, reason_of, through

# Bytes; a key takes about 1 KiB.
_DOCUMENT_LIMIT = 256 * 1024
_PLAIN_HTTP = (
    "is plain http: whoever can answer there in the issuer's place can log in as anybody;"
    " TOKEN_JWT_TRUST_PLAIN_HTTP=1 allows it"
)
# Some firewalls let nobody through who does not say what they are.
_HEADERS = {"User-Agent": "livekit-token-server", "Accept-Encoding": "identity"}


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
        answer = _get(url, ends_at, proxy)
        document = json.loads(answer.body) if answer.status == HTTPStatus.OK else None
    except (OSError, ValueError, RecursionError) as error:
        raise IssuerUnavailableError(f"{url} does not answer{way}: {reason_of(error)}") from error
    if not isinstance(document, dict):
        raise IssuerUnavailableError(f"{url} answers{way} HTTP {answer.status} and no JSON object")
    return document


def _is_open(url: str) -> bool:
    """Whether others could answer in the place of who is there."""
    parts = parse_url(url)
    return parts.scheme == "http" and (parts.host or "").strip("[]") not in LOOPBACK


def _get(url: str, ends_at: float, proxy: str) -> HttpAnswer:
    parts = parse_url(url)
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise ValueError
    left = max(ends_at - time.monotonic(), 0.001)
    route = Route(f"{parts.scheme}://{parts.netloc}", proxy)
    connections = Connections(route, Timeouts(connect=left, answer=left))
    request = HttpRequest(
        parts.request_uri, b"", _HEADERS, method="GET", most_bytes=_DOCUMENT_LIMIT
    )
    try:
        return connections.ask(request)
    finally:
        connections.close()
