"""How log lines look: `Room ready room=kitchen …` for people, or a JSON object per line."""

import re
from collections.abc import MutableMapping
from typing import Any

import structlog
from gunicorn.glogging import Logger

from token_server.settings import LogFormat

_PLAIN = re.compile(r"[\w./:@+-]+")


class QuietLogger(Logger):
    """gunicorn's logger without an access log: what a request did, the application says."""

    def access(self, *_: object) -> None:
        """Do not even put the line together, which gunicorn does for every request."""


def logging_config(log_format: LogFormat) -> dict[str, Any]:
    """Return a logging.config dictionary for everything in the process, gunicorn included."""
    shared = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *_renderers(log_format),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
        },
    }


def _renderers(log_format: LogFormat) -> list[Any]:
    if log_format is LogFormat.JSON:
        renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        renderer = _console_line
    return [structlog.processors.format_exc_info, renderer]


def _console_line(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    """Put a line together; structlog's own ConsoleRenderer takes four times as long."""
    head = f"{event.pop('timestamp')} [{event.pop('level')}] {event.pop('event')}"
    traceback = event.pop("exception", None)
    fields = "".join(f" {name}={_plain(value)}" for name, value in event.items())
    return f"{head}{fields}\n{traceback}" if traceback else f"{head}{fields}"


def _plain(value: object) -> str:
    """Show a value so that it can neither end the line nor look like another field."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else repr(text)
