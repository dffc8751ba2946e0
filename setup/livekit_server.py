"""The real livekit-server, in `.tools`, unless this machine has one already."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from setup import SetupError
from setup.progress import run, say
from token_server.cli.dev.binary import (
    WAYS_OUT,
    built_livekit_server,
    find_livekit_server,
    wanted_version,
)

# Later versions carry `replace` lines, which `go install` refuses.
VERSION = "1.13.5"
_PACKAGE = "github.com/livekit/livekit-server/cmd/server"
_BUILD = Path(".tools/build")
_DOTENV_URL = re.compile(
    r"^[ \t]*(?:export[ \t]+)?LIVEKIT_URL[ \t]*=[ \t]*[\"']?[^\s\"'#]", re.MULTILINE
)


def get_livekit_server(environ: Mapping[str, str], *, always: bool) -> None:
    """Build livekit-server if there is none.

    Args:
        environ: LIVEKIT_SERVER_BIN, LIVEKIT_SERVER_VERSION, PATH, LIVEKIT_URL.
        always: Also where LIVEKIT_URL says that another server is used.

    Raises:
        SetupError: There is none, and no way to build one.
    """
    if not always and uses_other_server(environ, _read_dotenv(environ)):
        say("LIVEKIT_URL is set: no livekit-server needed here")
        return
    if find_livekit_server(environ, Path()):
        return
    go = shutil.which("go")
    if go is None:
        raise SetupError(f"there is no livekit-server here, and no Go to build it. {WAYS_OUT}")
    try:
        _build(go, environ)
    except SetupError as error:
        raise SetupError(f"{error}\n{WAYS_OUT}") from None


def uses_other_server(environ: Mapping[str, str], dotenv: str) -> bool:
    """Tell whether LIVEKIT_URL is set, in the environment or in the text of `.env`."""
    in_environ = environ.get("LIVEKIT_URL")
    return bool(_DOTENV_URL.search(dotenv)) if in_environ is None else bool(in_environ.strip())


def _build(go: str, environ: Mapping[str, str]) -> None:
    """Build beside the target and move: what is at the target is always whole."""
    version, target = wanted_version(environ) or VERSION, built_livekit_server(environ)
    run(
        f"building livekit-server {version} with Go (some minutes, once)",
        [go, "install", "-v", f"{_PACKAGE}@v{version}"],
        environ={**environ, "GOBIN": str(_BUILD.absolute())},
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(_BUILD / "server", target)  # noqa: PTH105 (the pair of names reads better)
    shutil.rmtree(_BUILD)


def _read_dotenv(environ: Mapping[str, str]) -> str:
    path = Path(environ.get("TOKEN_SERVER_ENV_FILE", ".env"))
    return path.read_text() if path.is_file() else ""
