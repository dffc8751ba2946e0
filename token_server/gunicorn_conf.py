"""How gunicorn runs the token server; settings are checked here, before anything is forked."""

import gc
import logging
import os
import sys

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from token_server.environment import read_settings
from token_server.errors import SettingsError
from token_server.logs import QuietLogger, logging_config
from token_server.settings import NOT_USED

try:
    _settings = read_settings(os.environ)
except SettingsError as error:
    sys.exit(f"The token server cannot start:\n{error}")

bind = f"{_settings.host}:{_settings.port}"
workers = _settings.web_concurrency
worker_class = "token_server.gunicorn_worker.PromptWorker"
# Seconds.
timeout = 30
graceful_timeout = 15
keepalive = 15
control_socket_disable = True
logger_class = QuietLogger
logconfig_dict = logging_config(_settings.log_format)


def on_starting(server: Arbiter) -> None:
    """Say what is set and has no effect."""
    del server
    for name, why in NOT_USED.items():
        if os.environ.get(name):
            logging.getLogger("gunicorn.error").warning("%s %s", name, why)


def post_worker_init(worker: Worker) -> None:
    """Start the keeper in the process that serves: threads do not survive a fork."""
    from token_server.wsgi import token_server  # noqa: PLC0415 (the process's own composition)

    del worker
    # What the imports have made lives as long as the process: no need to look through it again.
    gc.freeze()
    token_server.keeper.start()


def worker_exit(server: Arbiter, worker: Worker) -> None:
    """Finish the looks in hand."""
    from token_server.wsgi import token_server  # noqa: PLC0415

    del server, worker
    token_server.keeper.stop()
