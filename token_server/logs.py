"""How log lines look: `name key=value …` for people, or a JSON object per line."""

from typing import Any

import structlog
from gunicorn.glogging import Logger

from token_server.settings import LogFormat


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
        return [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    return [structlog.dev.ConsoleRenderer(colors=False)]
