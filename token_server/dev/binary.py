"""Where the livekit-server of this machine is; standard library only."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from token_server.dev import DevError

INSTALLED = Path(".tools/bin/livekit-server")
WAYS_OUT = (
    "Do one of these and try again: install livekit-server so that it is on PATH (Homebrew and"
    " others have it), or install Go (https://go.dev/dl) and `make setup` builds it, or set"
    " LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET in .env to use LiveKit Cloud."
)


def find_livekit_server(environ: Mapping[str, str], folder: Path) -> Path | None:
    """Return LIVEKIT_SERVER_BIN, or the one on PATH, or what `make setup` installed, or None.

    Raises:
        DevError: LIVEKIT_SERVER_BIN is set and is not a program.
    """
    if named := environ.get("LIVEKIT_SERVER_BIN"):
        if not os.access(named, os.X_OK) or Path(named).is_dir():
            raise DevError(f"LIVEKIT_SERVER_BIN is not a program: {named}. Correct or unset it.")
        return Path(named).absolute()
    if on_path := shutil.which("livekit-server", path=environ.get("PATH", os.defpath)):
        return Path(on_path).absolute()
    installed = folder.absolute() / INSTALLED
    return installed if os.access(installed, os.X_OK) else None
