"""One HTTP request, and what came of it: an answer, or why there is none."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError, LocationValueError, ProxyError

from token_server.cli.silence import ANSWER, CONNECT, Silence, silence_of
from token_server.livekit.routes import proxy_login
from token_server.proxies import is_http_proxy, proxy_setting, refused_tunnel, through


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a server is reached: through which proxy ("": none), and how long that may take.

    Attributes:
        connect: Seconds to be connected to.
        answer: Seconds for an answer.
    """

    proxy: str = field(default="", repr=False)
    connect: float = CONNECT
    answer: float = ANSWER


_STRAIGHT = Way()


@dataclass(frozen=True, kw_only=True)
class HttpResult:
    """What came of a request.

    Attributes:
        status: HTTP's; 0 if there is no answer.
        silence: Why there is no answer, in words; "" if there is one.
        why: Which of the usual reasons that is; None if there is an answer, or another reason.
        headers: Their names in any case; in a test, in lower case.
        unverified_body: As it came; it may repeat the token that we sent, so it is never shown.
        asked_at: When we asked, in Unix seconds.
        seconds: How long the answer took.
        bad_proxy: The setting whose proxy did not let the request through; "" where that is not so.
    """

    status: int = 0
    silence: str = ""
    why: Silence | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    unverified_body: bytes = field(default=b"", repr=False)
    asked_at: float = 0.0
    seconds: float = 0.0
    bad_proxy: str = ""

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
    way: Way = _STRAIGHT,
) -> HttpResult:
    """Send one request, with JSON if there is content.

    Redirects are not followed, and nothing is tried twice.
    """
    asked_at, started = time.time(), time.monotonic()
    try:
        answer = _pool(way.proxy).request(
            method,
            url,
            headers=headers,
            json=content,
            timeout=urllib3.Timeout(connect=way.connect, read=way.answer),
            retries=False,
            redirect=False,
        )
    except HTTPError as error:
        return _no_answer(error, url, way)
    is_proxys = bool(way.proxy) and answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
    return HttpResult(
        status=answer.status,
        headers=answer.headers,
        unverified_body=answer.data,
        asked_at=asked_at,
        seconds=time.monotonic() - started,
        bad_proxy=proxy_setting(url) if is_proxys else "",
    )


@cache
def _pool(proxy: str) -> urllib3.PoolManager:
    # A command reads it out of the environment, where nobody has looked at it.
    if proxy and not is_http_proxy(proxy):
        raise ProxyError("", LocationValueError())
    return (
        urllib3.ProxyManager(proxy, proxy_headers=proxy_login(proxy))
        if proxy
        else urllib3.PoolManager()
    )


def _no_answer(error: HTTPError, url: str, way: Way) -> HttpResult:
    setting, proxy = proxy_setting(url), way.proxy
    had = way.connect, way.answer
    if status := refused_tunnel(error):
        return HttpResult(silence=f"the proxy of {setting} answers {status}", bad_proxy=setting)
    if isinstance(error, ProxyError):
        cause = error.original_error
        words = silence_of(cause, *had)[1] if isinstance(cause, HTTPError) else type(cause).__name__
        return HttpResult(silence=f"the proxy of {setting}: {words}", bad_proxy=setting)
    # One that takes the connection and is silent cannot be told from a silent server behind it.
    why, words = silence_of(error, *had)
    return HttpResult(silence=f"{words}{through(url, proxy)}", why=why)


def bearer(key: str) -> dict[str, str]:
    """Return the header that shows a key or token; nothing if there is none."""
    return {"Authorization": f"Bearer {key}"} if key else {}
