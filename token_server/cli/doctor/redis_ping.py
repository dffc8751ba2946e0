"""Does the Redis of REDIS_URL answer?"""

import socket
from urllib.parse import urlsplit

from redis.exceptions import AuthenticationError

from token_server.cli.doctor.checks import Check, Trouble, ok
from token_server.cli.doctor.steps import REDIS_URL, Setting, Start
from token_server.cli.silence import Silence
from token_server.state.redis_client import FAILURES, certificate_trouble, open_redis

_SECONDS = 2.0
_SET_URL = (Setting("REDIS_URL", REDIS_URL), Start.WEB)
_MEANWHILE = "Agents come all the same meanwhile, and each machine locks for itself."
_SILENT = Trouble(
    "redis",
    "Start Redis where REDIS_URL says, or set REDIS_URL to where it is; `redis-cli -u REDIS_URL"
    f" ping` answers PONG when it is right. {_MEANWHILE}",
    _SET_URL,
)
_UNKNOWN_HOST = Trouble("redis", f"Correct the host in REDIS_URL. {_MEANWHILE}", _SET_URL)
_REFUSED = Trouble(
    "redis",
    "Set the user and password in REDIS_URL to Redis' own (redis://USER:PASSWORD@HOST:PORT)."
    f" {_MEANWHILE}",
    _SET_URL,
)
_UNTRUSTED = Trouble(
    "redis-certificate",
    "Set REDIS_TLS_VERIFY=0, or ssl_ca_certs in REDIS_URL, here and for the token server;"
    f" docs/several-machines.md says what either gives. {_MEANWHILE}",
    (Setting("REDIS_TLS_VERIFY", "0"), Start.WEB),
)


def ping(redis_url: str) -> tuple[Trouble, str] | None:
    """Return what keeps Redis from answering us, and what shows it; None if it answers."""
    try:
        with open_redis(redis_url, _SECONDS) as redis:
            redis.ping()
    except AuthenticationError:
        return _REFUSED, "it refuses the user or password of REDIS_URL"
    except FAILURES as error:
        if said := certificate_trouble(error):
            return _UNTRUSTED, said
        return _silent(error)
    return None


def _silent(error: BaseException) -> tuple[Trouble, str]:
    """Tell a name that is unknown and a closed port from the rest, by what redis-py met."""
    found: BaseException | None = error
    while found:
        if isinstance(found, socket.gaierror):
            return _UNKNOWN_HOST, Silence.UNKNOWN_HOST.value
        if isinstance(found, ConnectionRefusedError):
            return _SILENT, Silence.REFUSED.value
        found = found.__cause__ or found.__context__
    # The text may be Redis's own, and repeat anything.
    return _SILENT, f"no answer: {type(error).__name__}"


def check_redis(
    redis_url: str, found: tuple[Trouble, str] | None, *, is_server_ready: bool
) -> Check:
    """Say whether Redis answers us, and the token server."""
    parts = urlsplit(redis_url)
    where = f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else parts.path
    if found is None:
        return ok("Redis", f"Redis answers at {where}.")
    trouble, evidence = found
    if is_server_ready:
        return trouble.unknown(
            "Redis",
            f"Redis at {where} does not answer here, and the token server does not miss it: it may"
            " run without REDIS_URL, with another REDIS_TLS_VERIFY, or reach what we cannot.",
            evidence,
        )
    says = f"Redis does not answer at {where}."
    if trouble is _REFUSED:
        says = f"Redis at {where} does not let us in."
    if trouble is _UNTRUSTED:
        says = f"Redis answers at {where} with a certificate that we refuse."
    return trouble.wrong("Redis", says, evidence)
