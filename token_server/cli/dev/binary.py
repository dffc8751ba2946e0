"""Where the livekit-server of this machine is; standard library only."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from token_server.cli.dev import DevError

_BUILT = Path(".tools/bin/livekit-server")
WAYS_OUT = (
    "Do one of these and try again: install livekit-server so that it is on PATH (Homebrew and"
    " others have it), or install Go (https://go.dev/dl) and `make setup` builds it, or set"
    " LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET in .env to use LiveKit Cloud."
)


def find_livekit_server(environ: Mapping[str, str], folder: Path) -> Path | None:
    """Return LIVEKIT_SERVER_BIN, or the one on PATH, or what `make setup` built, or None.

    With LIVEKIT_SERVER_VERSION it is that version or None, whatever is on PATH.

    Raises:
        DevError: LIVEKIT_SERVER_BIN is set and is not a program, or the version is none.
    """
    if named := environ.get("LIVEKIT_SERVER_BIN"):
        if not os.access(named, os.X_OK) or Path(named).is_dir():
            raise DevError(f"LIVEKIT_SERVER_BIN is not a program: {named}. Correct or unset it.")
        return Path(named).absolute()
    built = folder.absolute() / built_livekit_server(environ)
    on_path = shutil.which("livekit-server", path=environ.get("PATH", os.defpath))
    if on_path and not wanted_version(environ):
        return Path(on_path).absolute()
    return built if os.access(built, os.X_OK) else None


def built_livekit_server(environ: Mapping[str, str]) -> Path:
    """Return where `make setup` builds it; another version than the usual has its own folder."""
    version = wanted_version(environ)
    return Path(f".tools/livekit-server-{version}/livekit-server") if version else _BUILT


def wanted_version(environ: Mapping[str, str]) -> str:
    """Return LIVEKIT_SERVER_VERSION, "" if it is not set.

    Raises:
        DevError: It is no version.
    """
    version = environ.get("LIVEKIT_SERVER_VERSION", "").removeprefix("v")
    if version and not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise DevError(f"LIVEKIT_SERVER_VERSION must be like 1.13.5: {version}")
    return version
