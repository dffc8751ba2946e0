"""HTTP with servers on this machine, by urllib3: no proxy, no redirect, nothing tried twice.

What comes back is urllib3's: `status`, `headers`, `data` and `json()`.
"""

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Self, TypedDict, Unpack

from urllib3 import BaseHTTPResponse, PoolManager
from urllib3.exceptions import HTTPError

_SECONDS = 10.0  # for an answer, on a machine that is busy with other tests
_CONNECTIONS = 16


class Options(TypedDict, total=False):
    """What a request may have."""

    params: Mapping[str, str]
    headers: Mapping[str, str]
    json: object
    body: bytes
    timeout: float


class Client:
    """Asks one server, over connections that it keeps. A context manager.

    Args:
        base_url: What each path is put behind; may be changed.
        timeout: Seconds for an answer.
    """

    def __init__(self, base_url: str = "", timeout: float = _SECONDS) -> None:
        self.base_url = base_url
        self._pool = PoolManager(maxsize=_CONNECTIONS, timeout=timeout)

    def get(self, path: str = "", **options: Unpack[Options]) -> BaseHTTPResponse:
        """GET; `params` come behind the path."""
        return self._ask("GET", path, options)

    def post(self, path: str = "", **options: Unpack[Options]) -> BaseHTTPResponse:
        """POST, with `json` or `body`."""
        return self._ask("POST", path, options)

    def is_ok(self, path: str = "") -> bool:
        """Whether there is an answer, and it is 200."""
        with suppress(HTTPError):
            return self.get(path).status == HTTPStatus.OK
        return False

    def close(self) -> None:
        """Close its connections."""
        self._pool.clear()

    def _ask(self, method: str, path: str, options: Options) -> BaseHTTPResponse:
        url, params = self.base_url + path, options.pop("params", None)
        return self._pool.request(
            method, url, fields=params, retries=False, redirect=False, **options
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def get(url: str, **options: Unpack[Options]) -> BaseHTTPResponse:
    """GET over a new connection."""
    with Client(url) as client:
        return client.get(**options)


def post(url: str, **options: Unpack[Options]) -> BaseHTTPResponse:
    """POST over a new connection."""
    with Client(url) as client:
        return client.post(**options)


def is_ok(url: str) -> bool:
    """Whether there is an answer, over a new connection, and it is 200."""
    with Client(url) as client:
        return client.is_ok()


def good(answer: BaseHTTPResponse) -> BaseHTTPResponse:
    """Return an answer that is no error; raise what one that is says."""
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise HTTPError(f"{answer.status}: {answer.data.decode()}")
    return answer
