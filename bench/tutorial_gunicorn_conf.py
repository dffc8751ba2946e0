"""How gunicorn runs the tutorial's server: as it runs ours, without our keeper."""

from token_server.gunicorn_conf import (
    bind,
    control_socket_disable,
    graceful_timeout,
    keepalive,
    logconfig_dict,
    threads,
    timeout,
    worker_class,
    workers,
)

__all__ = [
    "bind",
    "control_socket_disable",
    "graceful_timeout",
    "keepalive",
    "logconfig_dict",
    "threads",
    "timeout",
    "worker_class",
    "workers",
]
