"""What an operator is warned of at the start. Pure, no I/O; no line has a secret in it."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from shared_settings.settings import TokenAuth
from token_server.bearer_keys import HASHED
from token_server.proxies import is_loopback
from token_server.settings import Settings
from token_server.state.shared_folder import SharedFolder

# Bytes. RFC 7518, 3.2: an HS256 key is as long as the hash.
_SECRET = 32
# Characters: 64 bits, written in hexadecimal digits.
_KEY = 16
# LiveKit's TokenSource fetches a new token when the old one has so long left.
_LEFT = timedelta(seconds=60)


def start_warnings(settings: Settings, folder: SharedFolder) -> list[str]:
    """Return a line for each."""
    return [
        *_weak_secrets(settings),
        *_open_doors(settings),
        *_trust(settings),
        *_lifetimes(settings),
        *_folder(folder),
    ]


def _weak_secrets(settings: Settings) -> Iterator[str]:
    if _has_short([settings.livekit_api_secret], _SECRET):
        yield f"LIVEKIT_API_SECRET has less than {_SECRET} bytes: it can be guessed from any token"
    if _has_short((secret for _, secret in settings.webhook_keys), _SECRET):
        yield f"LIVEKIT_WEBHOOK_KEYS has a secret of less than {_SECRET} bytes: it can be guessed"
    keys = {"OPERATOR_KEY": settings.operator_keys}
    if settings.token_auth is TokenAuth.KEY:
        keys["TOKEN_KEYS"] = settings.token_keys
    for name, values in keys.items():
        # How long a key is that is kept as its hash, nobody knows.
        if _has_short((value for value in values if not value.startswith(HASHED)), _KEY):
            yield f"{name} has a key of less than {_KEY} characters: it can be guessed"


def _open_doors(settings: Settings) -> Iterator[str]:
    host = settings.host
    is_closed = host == "localhost" or is_loopback(host)
    if settings.token_auth is TokenAuth.NONE and not is_closed and not settings.rate_limit:
        yield (
            f"TOKEN_AUTH=none, HOST={host} and no RATE_LIMIT: whoever can reach this"
            " server gets as many tokens as they ask for, at your expense"
        )
    if settings.token_auth is TokenAuth.KEY and settings.rate_limit and not settings.rate_limit_key:
        yield (
            "TOKEN_AUTH=key and RATE_LIMIT, but no RATE_LIMIT_KEY: RATE_LIMIT is for each end user,"
            " and whoever has the key says who that is"
        )


def _lifetimes(settings: Settings) -> Iterator[str]:
    """Tell of times that do not fit; with LiveKit's defaults everything works all the same."""
    token, room = settings.token_ttl, settings.room_empty_timeout
    seconds = f"{token.total_seconds():.0f}"
    if token <= _LEFT:
        yield (
            f"TOKEN_TTL_SECONDS={seconds}: LiveKit's clients throw a token away that has"
            f" {_LEFT.total_seconds():.0f} s left, and fetch another; set TOKEN_TTL_SECONDS=600"
        )
    if room < token:
        yield (
            f"ROOM_EMPTY_TIMEOUT_SECONDS={room.total_seconds():.0f} is less than"
            f" TOKEN_TTL_SECONDS={seconds}: a livekit-server with room.auto_create: false refuses"
            " (404) whoever joins later than that; set ROOM_EMPTY_TIMEOUT_SECONDS="
            f"{seconds}, or a shorter TOKEN_TTL_SECONDS"
        )


def _trust(settings: Settings) -> Iterator[str]:
    if settings.token_auth is TokenAuth.JWT and settings.token_jwt_trust_without_audience:
        yield (
            "TOKEN_JWT_TRUST_WITHOUT_AUDIENCE=1: a login token of TOKEN_JWT_ISSUER without aud is"
            " good here, whichever application it was made for"
        )
    if settings.token_auth is TokenAuth.JWT and settings.token_jwt_trust_plain_http:
        yield (
            "TOKEN_JWT_TRUST_PLAIN_HTTP=1: the issuer's keys may come over plain http, so whoever"
            " can answer in the issuer's place can log in as anybody"
        )
    if not settings.redis_tls_verify and settings.redis_url.startswith("rediss:"):
        yield (
            "REDIS_TLS_VERIFY=0: what goes to Redis is encrypted, but nobody checks who answers"
            " there: whoever can get in between learns its password, and can read and change what"
            " the machines share"
        )


def _folder(folder: SharedFolder) -> Iterator[str]:
    instead = f"share {folder.path}" if folder.is_real else "share nothing"
    for trouble in folder.troubles:
        yield f"{trouble}: the processes of this machine {instead} instead"


def _has_short(values: Iterable[str], least: int) -> bool:
    return any(len(value.encode()) < least for value in values)
