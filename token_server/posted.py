"""How long a POST's body is, for those who read it before Flask. No I/O."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


def posted_length(environ: "WSGIEnvironment", most: int) -> int | None:
    """Return the bytes of a POST's body; None if it is no POST, or says nothing to rely on.

    Args:
        environ: WSGI's.
        most: The most bytes that may be read.
    """
    length = environ.get("CONTENT_LENGTH", "")
    if environ["REQUEST_METHOD"] != "POST" or not (length.isascii() and length.isdigit()):
        return None
    return int(length) if int(length) <= most else None
