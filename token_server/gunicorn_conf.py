"""How gunicorn runs the token server; settings are checked here, before anything is forked."""

import gc
import logging
import os
import resource
import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.workers.base import Worker

from shared_settings.settings import SettingsError
from shared_settings.token_server_url import address
from token_server.environment import read_settings
from token_server.start_warnings import start_warnings
from token_server.state.shared_folder import find_shared_folder
from token_server.telemetry import metrics_folder
from token_server.telemetry.logs import QuietLogger, logging_config
from token_server.temporary_folders import MEMORY

_logger = logging.getLogger("gunicorn.error")
_OTHER_FILES, _ENOUGH_FILES = 256, 100_000
# gunicorn listens there, whatever HOST is: systemd's, and those of the process that it replaces.
_SOCKETS_OF_OTHERS = {"LISTEN_FDS", "GUNICORN_FD"}
try:
    _settings = read_settings(os.environ)
except SettingsError as error:
    sys.exit(f"The token server cannot start:\n{error}")


def _raise_open_files() -> int:
    """Allow as many open files as the machine lets us; return the number."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS calls its most unlimited, and refuses that
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 < allowed < 2 * _OTHER_FILES:
        sys.exit(
            f"The token server cannot start:\nulimit -n must be {2 * _OTHER_FILES} or more: each"
            f" connection is an open file, and there can be {allowed}"
        )
    return allowed if 0 < allowed < _ENOUGH_FILES else _ENOUGH_FILES


bind = address(_settings.host, _settings.port)
workers = _settings.web_concurrency
worker_class = "token_server.http_server.deadline_worker.DeadlineWorker"
# Seconds.
timeout = 30
graceful_timeout = 15
# Routers keep idle connections for 60 to 90 s. Whoever closes first loses what the other sends.
keepalive = 95
# As many as there can be open files, but for what a process has open besides.
worker_connections = _raise_open_files() - _OTHER_FILES
control_socket_disable = True
# Each process tells that it is alive by a file's time: no full or slow disk keeps it from that.
worker_tmp_dir = str(MEMORY) if MEMORY.is_dir() else None
# Bytes; the most that gunicorn allows. All fields of GET /token at their longest fit.
limit_request_line = 8190
# Nothing is taken from anybody's headers here, so nobody's address has to be looked up for every
# request; TRUSTED_PROXIES is the application's matter (app.py).
forwarded_allow_ips = "*"
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
logger_class = QuietLogger
logconfig_dict = logging_config(_settings.log_format, _settings.log_level)
# No line of ours says these, and they would be looked up for each.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def ssl_context(_config: Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Shake hands when the connection is handled: gevent's server would do it without a limit."""
    context = default()
    wrap = partial(context.wrap_socket, do_handshake_on_connect=False)
    context.wrap_socket = wrap  # type: ignore[method-assign]
    return context


def _refuse_other_host(server: Arbiter) -> None:
    """Say at once what gunicorn would say after five seconds, and by its setting's name."""
    host = _settings.host
    has_socket = not _SOCKETS_OF_OTHERS.isdisjoint(os.environ)
    if has_socket or (host.lower(), _settings.port) not in server.cfg.address:
        return
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.bind((host, 0))
    except OSError as error:
        sys.exit(
            f"The token server cannot start:\nHOST must be an address of this machine, or a name of"
            f" one that is IPv4's, and {host} is none: {error.strerror}"
        )


def on_starting(server: Arbiter) -> None:
    """Make the folder in which the processes count together, before any counts."""
    if server.cfg.preload_app:
        sys.exit(
            "The token server cannot start:\n--preload must be left out: the processes would"
            " share the connections and threads of one"
        )
    _refuse_other_host(server)
    folder = find_shared_folder(_settings.livekit_url, _settings.livekit_api_key)
    for line in start_warnings(_settings, folder):
        _logger.warning("%s", line)
    if not metrics_folder.share(os.environ):
        _logger.warning("No room for metrics: each process will count for itself")


def post_fork(_server: Arbiter, worker: Worker) -> None:
    """Take the space that the process's metrics need."""
    # Until all is imported: nothing is garbage before, and to look for it is a tenth of the start.
    gc.disable()
    is_shared = metrics_folder.VARIABLE in os.environ
    if not metrics_folder.take_part(os.environ, worker.pid) and is_shared:
        _logger.warning("No room for metrics: pid %s counts for itself", worker.pid)


def child_exit(_server: Arbiter, worker: Worker) -> None:
    """Drop the gauges of a process that has ended, however it did."""
    if folder := os.environ.get(metrics_folder.VARIABLE):
        metrics_folder.forget_process(Path(folder), worker.pid)


def on_exit(_server: Arbiter) -> None:
    """Remove the folder."""
    if folder := os.environ.get(metrics_folder.VARIABLE):
        metrics_folder.remove_folder(Path(folder))


def post_worker_init(_worker: Worker) -> None:
    """Start what looks at rooms in the process that serves: loops do not survive a fork."""
    from token_server.wsgi import token_server  # noqa: PLC0415 (the process's own composition)

    # What the imports have made lives as long as the process: no need to look through it again.
    gc.freeze()
    gc.enable()
    token_server.start()


def worker_exit(_server: Arbiter, _worker: Worker) -> None:
    """Finish the looks in hand."""
    from token_server.wsgi import token_server  # noqa: PLC0415

    token_server.stop()
