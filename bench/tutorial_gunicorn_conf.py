"""How gunicorn runs the tutorial's server: as it runs ours, without our keeper.

In threads: `asyncio.run` refuses to run in two greenlets of one thread. Four a process; more lose
to the GIL (livekit-behaviour 71).
"""

from token_server.gunicorn_conf import (
    bind,
    control_socket_disable,
    graceful_timeout,
    keepalive,
    logconfig_dict,
    timeout,
    workers,
)

worker_class = "gthread"
threads = 4

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
