"""What an operator is warned of at the start. Pure, no I/O; no line has a secret in it."""

from collections.abc import Iterable, Iterator

from shared_settings.settings import TokenAuth
from token_server.bearer_keys import HASHED
from token_server.proxies import is_loopback
from token_server.settings import Settings
from token_server.state.shared_folder import SharedFolder

# Bytes. RFC 7518, 3.2: an HS256 key is as long as the hash.
_SECRET = 32
# Characters: 64 bits, written in hexadecimal digits.
_KEY = 16


def start_warnings(settings: Settings, folder: SharedFolder) -> list[str]:
    """Return a line for each."""
    return [*_weak_secrets(settings), *_open_doors(settings), *_folder(folder)]


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


def _folder(folder: SharedFolder) -> Iterator[str]:
    instead = f"share {folder.path}" if folder.is_real else "share nothing"
    for trouble in folder.troubles:
        yield f"{trouble}: the processes of this machine {instead} instead"


def _has_short(values: Iterable[str], least: int) -> bool:
    return any(len(value.encode()) < least for value in values)
