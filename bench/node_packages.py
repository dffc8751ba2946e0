"""The npm packages of what is measured beside ours: `npm ci` when they are missing."""

import shutil
from pathlib import Path

from setup import SetupError
from setup.npm import NODE_WANTED, install_packages

_FOLDER = Path(__file__).parent


def install_node_packages() -> None:
    """Install those of the Node.js server, unless that has been done.

    Raises:
        SetupError: There is no npm, or it failed; the text has its output.
    """
    _install("node", "the packages of the Node.js server", "npm-bench")


def install_agents_js() -> None:
    """Install those of the agents-js worker, 280 MB, unless that has been done.

    Raises:
        SetupError: There is no npm, or it failed; the text has its output.
    """
    _install("node_agent", "agents-js, for a worker to measure with", "npm-bench-agent")


def _install(folder: str, title: str, step: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SetupError(f"{title} must be installed, and there is no npm. {NODE_WANTED}")
    install_packages(npm, _FOLDER / folder, title, step)
