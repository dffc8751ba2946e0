"""The packages of the Node.js server that is measured beside ours: `npm ci` when missing."""

import shutil
import subprocess
from pathlib import Path

from bench.progress import say

_FOLDER = Path(__file__).parent / "node"
# npm writes this file when it has installed what the lock file says.
_INSTALLED = _FOLDER / "node_modules" / ".package-lock.json"
_LOCK = _FOLDER / "package-lock.json"


def install_node_packages() -> None:
    """Install what the lock file says, unless that has been done.

    Raises:
        RuntimeError: There is no npm, or it failed; the text has its output.
    """
    if _INSTALLED.is_file() and _INSTALLED.stat().st_mtime >= _LOCK.stat().st_mtime:
        return
    if (npm := shutil.which("npm")) is None:
        raise RuntimeError("no npm: install Node.js 20.19 or newer (https://nodejs.org)")
    say("installing the packages of the Node.js server")
    ended = subprocess.run(  # noqa: S603 (a fixed command)
        [npm, "ci", "--no-audit", "--no-fund"],
        cwd=_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise RuntimeError(f"npm ci failed:\n{ended.stdout}{ended.stderr}")
