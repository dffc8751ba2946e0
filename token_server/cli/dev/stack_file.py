"""What a running `make dev` leaves in its folder, so that the commands typed there find it.

The file is locked for as long as `make dev` runs: one that nobody holds is of a dead one, and is
not believed. It has all settings, keys and secrets too, and only its owner may read it.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from token_server.settings import Settings

NAME = ".token-server-dev.json"
_OTHERS = {"LIVEKIT_AGENT_HOST", "LIVEKIT_AGENT_PORT", "TOKEN_SERVER_ENV_FILE"}
_SETTINGS = {str(field.alias) for field in Settings.model_fields.values()} | _OTHERS
# With one of these set otherwise, another server or LiveKit is meant than the one of `make dev`.
_WHERE = (
    "TOKEN_SERVER_ENV_FILE",
    "TOKEN_SERVER_URL",
    "PORT",
    "LIVEKIT_URL",
    "LIVEKIT_API_KEY",
    "LIVEKIT_API_SECRET",
)
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_OTHERS_MAY_WRITE = 0o022


@contextmanager
def left_behind(folder: Path, environ: Mapping[str, str]) -> Iterator[Path | None]:
    """Leave the settings of the children's environment in the folder, until the end.

    Yields:
        The file; None where there can be none, or where another `make dev` runs in this folder.
    """
    path = folder.absolute() / NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:
        yield None
        return
    settings = {name: environ[name] for name in sorted(_SETTINGS & environ.keys())}
    is_ours = _fill(descriptor, settings)
    try:
        yield path if is_ours else None
    finally:
        with suppress(OSError):
            if is_ours:
                path.unlink()
        os.close(descriptor)


def _fill(descriptor: int, settings: Mapping[str, str]) -> bool:
    """Lock a file and write to it; False where that cannot be done, as on a full disk.

    Nothing secret is written to what is somebody else's: they may let others read it.
    """
    content = json.dumps(settings).encode()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fchmod(descriptor, 0o600)
        os.ftruncate(descriptor, 0)  # what a killed one has left
        return os.write(descriptor, content) == len(content)
    except OSError:
        return False


def stack_here(
    folder: Path, environ: Mapping[str, str], server_url: str | None = None
) -> dict[str, str]:
    """Return the settings of the `make dev` that runs in this folder and is meant; else nothing.

    Args:
        folder: Where the command was typed.
        environ: The environment without `.env`, which `make dev` has read itself.
        server_url: The token server's address, where the command line names one.
    """
    stack = _read(folder / NAME)
    is_meant = all(environ.get(name, "").strip() in {"", stack.get(name)} for name in _WHERE)
    if server_url:
        here = {f"http://{host}:{stack.get('PORT')}" for host in _LOOPBACK}
        is_meant = is_meant and server_url.rstrip("/") in here
    return stack if is_meant else {}


def with_stack(
    found: Mapping[str, str], environ: Mapping[str, str], stack: Mapping[str, str]
) -> dict[str, str]:
    """Return what a command has to know: the environment counts, then the stack, then `.env`."""
    if not stack:
        return dict(found)
    return {**found, **stack, **{name: value for name, value in environ.items() if value.strip()}}


def _read(path: Path) -> dict[str, str]:
    try:
        # A named pipe of that name would keep us waiting for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return {}
    with open(descriptor) as file:  # noqa: PTH123 (of a descriptor)
        about = os.fstat(descriptor)
        # A stranger's folder must not say where our keys are sent.
        is_ours = about.st_uid == os.getuid() and not about.st_mode & _OTHERS_MAY_WRITE
        if not is_ours or not _is_held(descriptor):
            return {}
        try:
            content = json.load(file)
        except ValueError:
            return {}
    settings = content.items() if isinstance(content, dict) else ()
    return {name: str(value) for name, value in settings if name in _SETTINGS}


def _is_held(descriptor: int) -> bool:
    """Whether somebody has locked it; where there are no locks (some network folders), nobody."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
