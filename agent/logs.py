"""How the worker's lines look where LOG_FORMAT=console: one line, every field in it."""

import logging
import re
from typing import Any

_EVERY_RECORD_HAS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_PLAIN = re.compile(r"[\w./:@+-]+")


class ConsoleFormatter(logging.Formatter):
    """Time, level, logger, message, then the record's extra fields as name=value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """Return the line; what the caller passed as `extra` follows the message."""
        extra = (f"{k}={_plain(v)}" for k, v in vars(record).items() if _is_said(k, v))
        return _printable(" ".join((super().formatMessage(record), *extra)))

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802 (logging's)
        """Return the traceback, which may quote what others have named."""
        return _printable(super().formatException(ei), besides="\n")


def _is_said(name: str, value: object) -> bool:
    if name in _EVERY_RECORD_HAS or name.startswith("_"):
        return False
    return value is not None and value != ""


def _plain(value: object) -> str:
    """Show a value so that it can neither end the line nor look like another field."""
    is_plain = not isinstance(value, str) or _PLAIN.fullmatch(value)
    return str(value) if is_plain else repr(value)


def _printable(text: str, besides: str = "") -> str:
    """Escape what a terminal would act on: rooms and people are named by strangers."""
    return "".join(
        each if each.isprintable() or each in besides else repr(each)[1:-1] for each in text
    )


def use_console_format() -> None:
    """Give livekit-agents' handlers our format; it offers JSON or escape codes only."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(ConsoleFormatter())


def ignore_the_root_logger() -> None:
    """Drop what is said below a warning under no logger's name.

    livekit.rtc says there, in a line for each, which streams nobody handles, with the topic that
    the sender chose: any participant could write what they like into the log, and fill it.
    """
    logging.getLogger().addFilter(lambda record: record.levelno >= logging.WARNING)
