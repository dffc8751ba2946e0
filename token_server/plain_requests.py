"""Plain POSTs to /token and /webhook, read and answered without gunicorn's own HTTP. No I/O.

gunicorn reads and writes HTTP in Python, which takes as long as all else that a token needs. So a
request that has come whole and has nothing unusual about it is read by httptools, and whatever is
longer, in parts, in a row, or odd in any way is gunicorn's, which refuses what is wrong with it. A
test holds the two against each other.
"""

import io
import time
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httptools

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

# Bytes: what is received at once, and of it a request line with headers at most; gunicorn allows
# a line no more than that (gunicorn_conf.py).
MOST_RECEIVED = 64 * 1024
_LONGEST_HEAD = 8190
_END_OF_HEAD = b"\r\n\r\n"
_PATHS = {b"/token": "/token", b"/webhook": "/webhook"}
# With these a request is not just a head and a body; or gunicorn has an opinion of them.
_UNUSUAL = {b"TRANSFER-ENCODING", b"TRAILER", b"TE", b"EXPECT", b"UPGRADE"}


class _Request:
    """What httptools calls back."""

    def __init__(self) -> None:
        self.path, self.body = b"", b""
        self.fields: dict[bytes, bytes] = {}
        self.is_complete, self.is_unusual = False, False

    def on_url(self, part: bytes) -> None:
        self.path += part

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.upper()
        self.is_unusual |= name in _UNUSUAL or name in self.fields or b"_" in name
        self.is_unusual |= name == b"CONNECTION" and value.lower() != b"keep-alive"
        self.fields[name] = value

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.is_complete = True


def read_plain(received: bytes) -> "WSGIEnvironment | None":
    """Return the WSGI environ of a request, as far as it is the request's; None if it is not plain.

    Args:
        received: All that has come of it.
    """
    head_length = received.find(_END_OF_HEAD)
    if not (received.startswith(b"POST /") and 0 < head_length <= _LONGEST_HEAD):
        return None
    request = _Request()
    parser = httptools.HttpRequestParser(request)
    try:
        parser.feed_data(received)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    path = _PATHS.get(request.path)
    if (
        path is None
        or not request.is_complete
        or len(request.body) != len(received) - head_length - len(_END_OF_HEAD)
        or request.is_unusual
        or parser.get_http_version() != "1.1"
        or not received[:head_length].isascii()
        or not request.fields.keys() >= {b"HOST", b"CONTENT-LENGTH"}
    ):
        return None
    return _environ(path, request)


def _environ(path: str, request: _Request) -> "WSGIEnvironment":
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "RAW_URI": path,
        "SCRIPT_NAME": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.url_scheme": "http",
    }
    for name, value in request.fields.items():
        environ[_key(name)] = value.strip(b" \t").decode("ascii")
    return environ


@lru_cache(maxsize=256)
def _key(name: bytes) -> str:
    key = name.decode("ascii").replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


def answer(application: "WSGIApplication", environ: "WSGIEnvironment") -> bytes:
    """Have the application answer, and return all that is to be sent, as gunicorn would send it."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    parts: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:  # noqa: ANN401  # WSGI's
        started.append((status, headers))
        return parts.append

    answered = application(environ, start_response)
    try:
        parts += answered
    finally:
        if hasattr(answered, "close"):
            answered.close()
    status, headers = started[-1]
    body = b"".join(parts)
    if not any(name.lower() == "content-length" for name, _ in headers):
        headers = [*headers, ("Content-Length", str(len(body)))]
    lines = [
        f"HTTP/1.1 {status}",
        "Server: gunicorn",
        f"Date: {_date(int(time.time()))}",
        "Connection: keep-alive",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


@lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)
