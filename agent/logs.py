"""How the worker's lines look where LOG_FORMAT=console: one line, every field in it."""

import logging

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class ConsoleFormatter(logging.Formatter):
    """Time, level, logger, message, then the record's extra fields as name=value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """Return the line; what the caller passed as `extra` follows the message."""
        extra = (f"{k}={v}" for k, v in vars(record).items() if _is_said(k, v))
        return " ".join((super().formatMessage(record), *extra))


def _is_said(name: str, value: object) -> bool:
    return name not in _PLAIN and not name.startswith("_") and value is not None and value != ""


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
