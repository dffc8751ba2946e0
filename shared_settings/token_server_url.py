"""TOKEN_SERVER_URL, HOST: where the token server listens, and is found by others. No I/O."""

import re
import socket
from contextlib import suppress
from functools import partial
from ipaddress import IPv6Address, ip_address
from typing import Annotated

from pydantic import AfterValidator

from shared_settings.livekit_url import split_url

DEFAULT_PORT = 8080


def check_http_url(rule: str, value: str) -> str:
    """Return the URL of a web server, with a path or without; else ValueError says the rule."""
    parts = split_url(value)
    if parts is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ValueError(rule)
    return value


_RULE = "must look like https://HOST, with a path where a proxy gives it one"
ServerUrl = Annotated[str, AfterValidator(partial(check_http_url, _RULE))]


def _check_host(value: str) -> str:
    """Return what can be listened on, an IPv6 address without brackets."""
    host = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    is_good = _is_ipv6(host) if ":" in host or host != value else _can_be_name(host)
    if not is_good:
        raise ValueError(
            "must be an address of this machine, such as 0.0.0.0, 127.0.0.1, :: or ::1, or a name"
            " of it; the port is PORT's"
        )
    return host


def _is_ipv6(host: str) -> bool:
    # With a scope (%eth0) gunicorn takes it for a name.
    with suppress(ValueError):
        return "%" not in host and isinstance(ip_address(host), IPv6Address)
    return False


def _can_be_name(host: str) -> bool:
    try:
        if re.fullmatch(r"[0-9.]+", host):
            socket.inet_aton(host)
    except OSError:
        return False
    parts = split_url(f"http://{host}")
    return parts is not None and parts.netloc == host


Host = Annotated[str, AfterValidator(_check_host)]


def address(host: str, port: int | str) -> str:
    """Return host and port as a URL and gunicorn's `bind` have them: IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def running_server_url(token_server_url: str, port: int | str, host: str = "") -> str:
    """Return where it runs, without a slash at the end: TOKEN_SERVER_URL, else on this machine.

    Args:
        token_server_url: TOKEN_SERVER_URL; "" if it is not set.
        port: PORT; "" likewise.
        host: HOST; "" likewise. Whatever it is, the answer is an address of this machine: keys are
            sent there, and the HOST may be one that a stranger's `.env` names.
    """
    here = f"http://{address(_loopback(host.strip('[]')), port or DEFAULT_PORT)}"
    return (token_server_url or here).rstrip("/")


def _loopback(host: str) -> str:
    """Return the address of this machine that who listens on the host can be asked at."""
    if host == "::":
        # Where the system's bindv6only is 1, it does not listen on 127.0.0.1.
        return "::1"
    with suppress(ValueError):
        if ip_address(host).is_loopback:
            return host
    return "127.0.0.1"
