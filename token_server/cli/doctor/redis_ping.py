"""Does the Redis of REDIS_URL answer?"""

from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from token_server.cli.doctor.checks import Check, Trouble, ok

_SECONDS = 2.0


def ping(redis_url: str) -> str:
    """Return why Redis does not answer us; "" if it does."""
    try:
        redis = Redis.from_url(redis_url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
        with redis:
            redis.ping()
    except AuthenticationError:
        return "it refuses the password of REDIS_URL"
    except (RedisError, OSError, ValueError) as error:
        # The text may be Redis's own, and repeat anything.
        return f"no answer: {type(error).__name__}"
    return ""


def check_redis(redis_url: str, reason: str, *, is_server_ready: bool) -> Check:
    """Say whether Redis answers us, and the token server."""
    parts = urlsplit(redis_url)
    where = f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else parts.path
    if not reason:
        return ok("Redis", f"Redis answers at {where}.")
    trouble = Trouble(
        "redis",
        "Start Redis, or set REDIS_URL to where it is; `redis-cli -u REDIS_URL ping` answers PONG"
        " when it is right. Agents come all the same, and each machine locks for itself.",
    )
    if is_server_ready:
        return trouble.unknown(
            "Redis",
            f"Redis at {where} does not answer here, and the token server does not miss it: it may"
            " run without REDIS_URL, or reach what we cannot.",
            reason,
        )
    return trouble.wrong("Redis", f"Redis does not answer at {where}.", reason)
