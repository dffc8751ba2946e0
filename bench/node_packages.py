"""The packages of the Node.js server that is measured beside ours: `npm ci` when missing."""

import shutil
from pathlib import Path

from setup import SetupError
from setup.npm import NODE_WANTED, install_packages

_FOLDER = Path(__file__).parent / "node"


def install_node_packages() -> None:
    """Install what the lock file says, unless that has been done.

    Raises:
        SetupError: There is no npm, or it failed; the text has its output.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SetupError(f"the Node.js server needs packages, and there is no npm. {NODE_WANTED}")
    install_packages(npm, _FOLDER, "the packages of the Node.js server", "npm-bench")
