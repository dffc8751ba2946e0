"""Without any LiveKit settings, the patient is the `make dev` of this machine, if it runs."""

from collections.abc import Mapping

from token_server.doctor.asking import Answer
from token_server.doctor.livekit import list_rooms
from token_server.errors import SettingsError
from token_server.settings import Settings

_NAMES = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
_HTTP_OK = 200


def has_livekit_settings(environ: Mapping[str, str]) -> bool:
    """Whether any variable says which LiveKit is meant."""
    return any(environ.get(name, "").strip() for name in _NAMES)


def is_running(children_environ: Mapping[str, str]) -> bool:
    """Whether a LiveKit answers that knows the key that `make dev` gives to its processes."""
    try:
        settings = Settings.from_environ(children_environ)
    except SettingsError:
        return False
    answer = list_rooms(settings)
    return isinstance(answer, Answer) and answer.status == _HTTP_OK
