"""How a connection to Redis is opened, by whoever asks it, and when its certificate is refused."""

from ssl import SSLCertVerificationError

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

# What a question to Redis may end in; ValueError: of settings that only the connection itself looks
# at, such as TLS files.
FAILURES = (RedisError, OSError, ValueError)


def open_redis(url: str, seconds: float) -> Redis:
    """Return a client; it connects with its first question.

    Args:
        url: `redis://`, `rediss://` or `unix://`, with user and password.
        seconds: To be connected to, and for each answer.
    """
    return Redis.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        # A connection that Redis has closed meanwhile is opened anew; a timeout is the end.
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        protocol=2,
    )


def certificate_trouble(error: BaseException) -> str:
    """Return what to set where Redis' certificate was refused; "" for any other failure."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, SSLCertVerificationError):
            return _CERTIFICATE_REFUSED.format(cause.verify_message)
        # redis-py raises an error of its own in its place.
        cause = cause.__cause__ or cause.__context__
    return ""


_CERTIFICATE_REFUSED = (
    "Redis' certificate is refused ({}): set REDIS_TLS_VERIFY=0 to go without verification, or"
    " ssl_ca_certs in REDIS_URL to the file of who has signed it"
)
