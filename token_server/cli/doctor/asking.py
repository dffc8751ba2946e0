"""One HTTP request, and what came of it: an answer, or why there is none."""

import json
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

# Seconds: to be connected to, and for an answer.
_CONNECT = 2.0
_ANSWER = 4.0
_WORDS: dict[type[Exception], str] = {
    ConnectTimeoutError: f"no connection within {_CONNECT:.0f} s: no such host, or a firewall",
    ReadTimeoutError: f"connected, but no answer within {_ANSWER:.0f} s",
    NameResolutionError: "the name of the host is not known (DNS)",
    ProtocolError: "the connection was closed without an HTTP answer",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server answered.

    Attributes:
        status: HTTP's.
        headers: By name in lower case.
        unverified_body: As it came; it may repeat the token that we sent, so it is never shown.
        asked_at: When we asked, in Unix seconds.
        seconds: How long the answer took.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    unverified_body: bytes = field(default=b"", repr=False)
    asked_at: float = 0.0
    seconds: float = 0.0

    @property
    def content(self) -> dict[str, Any]:
        """The body, where it is a JSON object; else nothing."""
        try:
            content = json.loads(self.unverified_body)
        except (ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def in_words(self) -> str:
        """Status and content type, to be shown."""
        kind = self.headers.get("content-type", "").partition(";")[0][:40]
        return f"HTTP {self.status}, {kind or 'no Content-Type'}"


@dataclass(frozen=True)
class Silence:
    """Why there is no answer, in words."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """What to send."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


def ask(question: Question) -> Answer | Silence:
    """Send one request; redirects are not followed, and nothing is tried twice."""
    asked_at, started = time.time(), time.monotonic()
    try:
        answer = urllib3.request(
            question.method,
            question.url,
            headers=dict(question.headers),
            body=question.body,
            timeout=urllib3.Timeout(connect=_CONNECT, read=_ANSWER),
            retries=False,
            redirect=False,
        )
    except HTTPError as error:
        return Silence(_in_words(error))
    return Answer(
        status=answer.status,
        headers={name.lower(): value for name, value in answer.headers.items()},
        unverified_body=answer.data,
        asked_at=asked_at,
        seconds=time.monotonic() - started,
    )


def get(url: str, headers: Mapping[str, str] | None = None) -> Answer | Silence:
    """GET."""
    return ask(Question(method="GET", url=url, headers=headers or {}))


def _in_words(error: HTTPError) -> str:
    if isinstance(error, MaxRetryError) and isinstance(error.reason, HTTPError):
        return _in_words(error.reason)
    if isinstance(error, SSLError):
        return _tls_in_words(error)
    for kind, words in _WORDS.items():
        if isinstance(error, kind):
            return words
    if isinstance(error, NewConnectionError):
        return "connection refused: nothing listens on that port"
    return type(error).__name__


def _tls_in_words(error: SSLError) -> str:
    cause = error.args[0] if error.args else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {cause.verify_message}"
    if isinstance(cause, socket.timeout):
        return "TLS was not answered in time"
    return "it does not speak TLS on that port (ws:// and http:// are without)"
