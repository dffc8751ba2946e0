"""Tokens that nobody joins with, asked of a token server all the time."""

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http import HTTPStatus
from threading import Event

_PATIENCE_SECONDS = 10.0
_HEADERS = {"Content-Type": "application/json"}


@contextmanager
def unjoined_tokens(host: str, port: int, *, per_second: int) -> Iterator[None]:
    """Ask for so many a second while the block runs; for 0, for none.

    Raises:
        OSError: The server refused one, or did not answer.
    """
    if not per_second:
        yield
        return
    is_over = Event()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(_ask, host, port, per_second, is_over)
        try:
            yield
        finally:
            is_over.set()
        asking.result(_PATIENCE_SECONDS)


def _ask(host: str, port: int, per_second: int, is_over: Event) -> None:
    due = time.monotonic()
    while not is_over.wait(due - time.monotonic()):
        # Each of them is another human's: a connection that is kept leads to one process alone.
        connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_SECONDS)
        with closing(connection):
            connection.request("POST", "/token", "{}", _HEADERS)
            answer = connection.getresponse()
            answer.read()
        if answer.status != HTTPStatus.CREATED:
            raise ConnectionError(f"/token answered {answer.status}")
        due = max(due + 1 / per_second, time.monotonic() - 1)
