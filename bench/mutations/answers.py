"""Answers as they come over one connection. Pure."""

import re
from dataclasses import dataclass

_STATUS = re.compile(rb"HTTP/1\.\d (\d\d\d) ")  # gunicorn repeats whatever digit it was sent
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_CHUNKS = re.compile(rb"(?s)(?:[1-9a-f][0-9a-f]*\r\n.*?\r\n)*?0\r\n\r\n")
_CONTINUE, _NO_CONTENT, _NOT_MODIFIED, _ERROR = 100, 204, 304, 400


@dataclass(frozen=True)
class Answer:
    """One answer; `is_last` if it says that the connection closes, or can only end with it."""

    status: int
    head: bytes
    body: bytes
    is_last: bool

    @property
    def is_nginxs(self) -> bool:
        """Whether nginx wrote it."""
        is_page = b"Server: nginx" in self.head and b"text/html" in self.head
        return is_page and self.status >= _ERROR


class Answers:
    """What has come and is not taken yet."""

    def __init__(self) -> None:
        self.left = b""

    def take(self, method: bytes, *, is_end: bool) -> Answer | None:
        """Return the next answer, once it is whole; `is_end` if nothing more will come."""
        while True:
            head, separator, rest = self.left.partition(b"\r\n\r\n")
            status = _STATUS.match(head)
            if not separator or not status:
                return None
            if int(status[1]) != _CONTINUE:
                break
            self.left = rest
        code, is_last = int(status[1]), bool(_CLOSE.search(head))
        length = _LENGTH.search(head)
        if code in {_NO_CONTENT, _NOT_MODIFIED} or (method == b"HEAD" and not (is_last and rest)):
            size = 0
        elif _CHUNKED.search(head):
            chunks = _CHUNKS.match(rest)
            size = len(chunks[0]) if chunks else len(rest) + 1
        elif length:
            size = int(length[1])
        else:
            is_last, size = True, len(rest) if is_end else len(rest) + 1
        if len(rest) < size:
            return None
        self.left = rest[size:]
        return Answer(code, head, rest[:size], is_last)
