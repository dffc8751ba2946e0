"""What the folder has in which the doctor was typed."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from token_server.cli.doctor.here import Here, programs_folder
from token_server.cli.doctor.patient import Options
from token_server.cli.doctor.procfile import is_web_ours
from token_server.cli.running_server import server_url
from token_server.proxies import LOOPBACK


def here_of(environ: Mapping[str, str], options: Options, folder: Path, python: Path) -> Here:
    """Read the folder, and tell how commands are typed there.

    Args:
        environ: What holds: the environment, and what a file adds to it.
        options: What the command line said; the environment itself is in it.
        folder: Where the doctor was typed.
        python: The one that runs it.
    """
    given, own_url = options.process, server_url(environ)
    is_own = not environ.get("TOKEN_SERVER_URL") and options.server_url == own_url
    return Here(
        programs=programs_folder(shutil.which("python", path=given.get("PATH")), python, folder),
        environ=dict(given),
        settings=environ,
        procfile=_procfile(folder),
        own_url=own_url,
        url=options.url,
        origin=options.origin,
        login=options.login,
        agent=options.agent_name,
        is_web_here=is_own or urlsplit(options.server_url).hostname in LOOPBACK,
        is_outside=options.is_outside,
        is_make_dev=options.is_make_dev,
        has_open_end=not _is_whole(_read(folder / (given.get("TOKEN_SERVER_ENV_FILE") or ".env"))),
    )


def is_checkout(folder: Path) -> bool:
    """Whether the folder has a Procfile whose `web` is ours: `make dev` can be started there."""
    return is_web_ours(_procfile(folder))


def _procfile(folder: Path) -> str:
    return _read(folder / "Procfile").decode(errors="replace")


def _is_whole(content: bytes) -> bool:
    """Whether a line can be added at its end."""
    return not content or content.endswith(b"\n")


def _read(path: Path) -> bytes:
    """Return what a file has; nothing if it is none."""
    # A named pipe would keep us waiting for ever.
    with suppress(OSError):
        if path.is_file():
            return path.read_bytes()
    return b""
