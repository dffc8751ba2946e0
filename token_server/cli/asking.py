"""One HTTP request, and what came of it: an answer, or why there is none."""

import json
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

# Seconds: to be connected to, and for an answer.
_CONNECT = 2.0
_ANSWER = 4.0
_TIMEOUT = urllib3.Timeout(connect=_CONNECT, read=_ANSWER)
# The first that fits: some are kinds of others.
_WORDS: dict[type[Exception], str] = {
    ConnectTimeoutError: f"no connection within {_CONNECT:.0f} s: no such host, or a firewall",
    ReadTimeoutError: f"connected, but no answer within {_ANSWER:.0f} s",
    NameResolutionError: "the name of the host is not known (DNS)",
    ProtocolError: "the connection was closed without an HTTP answer",
    NewConnectionError: "connection refused: nothing listens on that port",
}


@dataclass(frozen=True, kw_only=True)
class HttpResult:
    """What came of a request.

    Attributes:
        status: HTTP's; 0 if there is no answer.
        silence: Why there is no answer, in words; "" if there is one.
        headers: Their names in any case; in a test, in lower case.
        unverified_body: As it came; it may repeat the token that we sent, so it is never shown.
        asked_at: When we asked, in Unix seconds.
        seconds: How long the answer took.
    """

    status: int = 0
    silence: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    unverified_body: bytes = field(default=b"", repr=False)
    asked_at: float = 0.0
    seconds: float = 0.0

    @property
    def is_ok(self) -> bool:
        """Whether it was answered with 200."""
        return self.status == HTTPStatus.OK

    @property
    def json_object(self) -> dict[str, Any] | None:
        """The body, where it is a JSON object; else None."""
        try:
            content = json.loads(self.unverified_body)
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None

    @property
    def content(self) -> dict[str, Any]:
        """The same, and empty where there is none."""
        return self.json_object or {}

    @property
    def in_words(self) -> str:
        """Status and content type, or why there is no answer; to be shown."""
        kind = self.headers.get("content-type", "").partition(";")[0][:40]
        return self.silence or f"HTTP {self.status}, {kind or 'no Content-Type'}"


def ask(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    content: Mapping[str, object] | None = None,
    timeout: urllib3.Timeout = _TIMEOUT,
) -> HttpResult:
    """Send one request, with JSON if there is content.

    Redirects are not followed, and nothing is tried twice.
    """
    asked_at, started = time.time(), time.monotonic()
    try:
        answer = urllib3.request(
            method,
            url,
            headers=headers,
            json=content,
            timeout=timeout,
            retries=False,
            redirect=False,
        )
    except HTTPError as error:
        return HttpResult(silence=_in_words(error))
    return HttpResult(
        status=answer.status,
        headers=answer.headers,
        unverified_body=answer.data,
        asked_at=asked_at,
        seconds=time.monotonic() - started,
    )


def bearer(key: str) -> dict[str, str]:
    """Return the header that shows a key or token; nothing if there is none."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def _in_words(error: HTTPError) -> str:
    if isinstance(error, SSLError):
        return _tls_in_words(error)
    fitting = (words for kind, words in _WORDS.items() if isinstance(error, kind))
    return next(fitting, type(error).__name__)


def _tls_in_words(error: SSLError) -> str:
    cause = error.args[0] if error.args else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {cause.verify_message}"
    if isinstance(cause, socket.timeout):
        return "TLS was not answered in time"
    return "it does not speak TLS on that port (ws:// and http:// are without)"
