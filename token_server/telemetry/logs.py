"""How log lines look: `Room ready room=kitchen …` for people, or a JSON object per line."""

import logging
import re
from datetime import UTC, datetime
from typing import Any

import structlog
from gunicorn.glogging import Logger

from shared_settings.settings import LogFormat
from token_server.settings import LogLevel
from token_server.telemetry.printable import printable, printable_lines

_PLAIN = re.compile(r"[\w./:@+-]+")
_EVERY_RECORD_HAS = {*vars(logging.makeLogRecord({})), "message", "asctime"}


class QuietLogger(Logger):
    """gunicorn's logger without an access log: what a request did, the application says."""

    def access(self, *_: object) -> None:
        """Do not even put the line together, which gunicorn does for every request."""


class LineFormatter(logging.Formatter):
    """A line for people. structlog, which makes the JSON, would take twice as long for it."""

    def format(self, record: logging.LogRecord) -> str:
        """Put the line together: time, level, message, and what came as `extra`."""
        time = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None)
        head = f"{time.isoformat(timespec='microseconds')}Z [{record.levelname.lower()}]"
        fields = "".join(
            f" {name}={_plain(value)}"
            for name, value in vars(record).items()
            if name not in _EVERY_RECORD_HAS
        )
        line = printable(f"{head} {record.getMessage()}{fields}")
        if not record.exc_info:
            return line
        return f"{line}\n{printable_lines(self.formatException(record.exc_info))}"


def logging_config(log_format: LogFormat, log_level: LogLevel = LogLevel.INFO) -> dict[str, Any]:
    """Return a logging.config dictionary for everything in the process, gunicorn included.

    Args:
        log_format: How lines look.
        log_level: Which of our own lines there are; libraries stay at info.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": _formatter(log_format)},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
            "token_server": {"level": log_level.upper()},
            # Every 20 s while a collector is away; tracing/delivery.py says that once.
            "opentelemetry.sdk._shared_internal": {"level": "ERROR"},
            # It quotes OTEL_EXPORTER_OTLP_HEADERS where these are wrong, keys and all.
            "opentelemetry.util.re": {"level": "ERROR"},
        },
    }


def _formatter(log_format: LogFormat) -> dict[str, Any]:
    if log_format is LogFormat.CONSOLE:
        return {"()": LineFormatter}
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [
            structlog.stdlib.add_log_level,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    }


def _plain(value: object) -> str:
    """Show a value so that it can neither end the line nor look like another field."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else repr(text)
