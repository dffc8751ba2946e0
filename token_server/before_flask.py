"""What the endpoints that answer before Flask have in common. No I/O.

They answer where all is well. Whatever is not plain goes on to Flask's view untouched; of what has
gone wrong the view gets the error, and raises it for refusals.py to render: nothing is done twice.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# Where the WSGI environ has what has gone wrong.
_ERROR_KEY = "token_server.error"


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


def hand_over(error: Exception, environ: "WSGIEnvironment") -> None:
    """Have Flask's view raise this."""
    environ[_ERROR_KEY] = error


def raise_what_was_handed_over(environ: "WSGIEnvironment") -> None:
    """Raise what has gone wrong before Flask, in its view."""
    error: Exception | None = environ.pop(_ERROR_KEY, None)
    if error:
        raise error
