"""Which TCP and UDP ports the local stack uses.

The web port never moves by itself: a frontend counts on it. LiveKit's and the worker's do, so that
a second stack needs nothing but another PORT.
"""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from token_server.cli.dev import DevError

_LAST = 65535
_WEB = 8080
_WORKER_HEALTH = 8081
_LIVEKIT, _LIVEKIT_RTC_TCP, _LIVEKIT_RTC_UDP = 7880, 7881, 7882


@dataclass(frozen=True)
class Ports:
    """What each part listens on (TCP, but for `livekit_rtc_udp`)."""

    web: int
    worker_health: int
    livekit: int
    livekit_rtc_tcp: int
    livekit_rtc_udp: int


def is_free(port: int) -> bool:
    """Tell whether nothing listens on the port: TCP on all addresses and on loopback, and UDP."""
    return (
        _can_bind(port, "0.0.0.0", socket.SOCK_STREAM)  # noqa: S104 (asked, never listened on)
        and _can_bind(port, "127.0.0.1", socket.SOCK_STREAM)
        and _can_bind(port, "127.0.0.1", socket.SOCK_DGRAM)
    )


def any_free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def choose_ports(
    environ: Mapping[str, str],
    is_free: Callable[[int], bool] = is_free,
    any_free_port: Callable[[], int] = any_free_port,
) -> Ports:
    """Take PORT and LIVEKIT_AGENT_PORT as they are set, and the usual ones or free ones else.

    Raises:
        DevError: A port that was set, or the usual web port, is taken or is no port.
    """
    web = _wanted(environ, "PORT", _WEB)
    if not is_free(web):
        raise DevError(_taken(web, "PORT"))
    worker_health = _wanted(environ, "LIVEKIT_AGENT_PORT", _WORKER_HEALTH)
    if not is_free(worker_health) or worker_health == web:
        if environ.get("LIVEKIT_AGENT_PORT"):
            raise DevError(_taken(worker_health, "LIVEKIT_AGENT_PORT"))
        worker_health = any_free_port()
    livekit = (_LIVEKIT, _LIVEKIT_RTC_TCP, _LIVEKIT_RTC_UDP)
    if {web, worker_health} & set(livekit) or not all(map(is_free, livekit)):
        livekit = (any_free_port(), any_free_port(), any_free_port())
    return Ports(web, worker_health, *livekit)


def _wanted(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    port = int(text) if text.isdecimal() else 0
    if not 0 < port <= _LAST:
        raise DevError(f"{name} must be a port from 1 to 65535, not {text!r}.")
    return port


def _taken(port: int, name: str) -> str:
    other = port - 10 if port > _LAST - 10 else port + 10
    return (
        f"port {port} is taken: another program listens there (perhaps a `make dev` in another"
        f" terminal). Stop that one, or choose another port: make dev {name}={other}"
    )


def _can_bind(port: int, address: str, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            # As servers do, or a port that one closed a minute ago counts as taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
