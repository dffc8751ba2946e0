"""What the person at the terminal sees: honcho's prefixed lines and our own words between them."""

import datetime as dt
import os
import sys
from typing import Any

from honcho.printer import Message, Printer

from token_server.telemetry.printable import printable_lines

_OURS = "make dev"


class Terminal:
    """Standard output, unbuffered.

    honcho prints in signal handlers too, and Python's buffered stdout raises where a handler's
    print meets the one it interrupted.
    """

    def write(self, text: str) -> int:
        """Write all of it."""
        data = text.encode(sys.stdout.encoding or "utf-8", "replace")
        while data:
            data = data[os.write(sys.stdout.fileno(), data) :]
        return len(text)

    def flush(self) -> None:
        """Do nothing: all is written."""

    def isatty(self) -> bool:
        """Tell whether honcho may use colours."""
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


class DevPrinter(Printer):  # type: ignore[misc]  # honcho has no types
    """honcho's printer, which leaves our own messages as they are."""

    def __init__(self) -> None:
        super().__init__(Terminal())

    def write(self, message: Any) -> None:  # noqa: ANN401 (honcho has no types)
        """Print one message."""
        if message.name == _OURS:
            self.output.write(f"{message.data}\n")
        else:
            super().write(message._replace(data=_shown(message.data)))


def _shown(data: bytes | str) -> str:
    """Escape what names of rooms and people may have brought into a process's lines."""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    return printable_lines(text.expandtabs())


def our_message(text: str) -> Any:  # noqa: ANN401 (honcho has no types)
    """Return a message that is printed without a prefix."""
    return Message("line", text, dt.datetime.now().astimezone(), _OURS, None)
