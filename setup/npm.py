"""The npm packages of a folder, as its lock file says."""

import shutil
from pathlib import Path

from setup import SetupError
from setup.progress import run
from setup.stamps import digest, forget, is_done, remember

NODE_WANTED = "Install Node.js 20.19 or newer, which brings npm (https://nodejs.org)."
_TEST_PAGES = Path("tests/browser/components")


def install_packages(npm: str, folder: Path, title: str, step: str) -> None:
    """Install what the lock file says, where it has changed since the last time.

    Raises:
        SetupError: npm failed.
    """
    locks = digest([folder / "package.json", folder / "package-lock.json"])
    if is_done(step, locks) and (folder / "node_modules").is_dir():
        return
    forget(step)
    run(f"installing {title}", [npm, "ci", "--no-audit", "--no-fund"], folder=folder)
    remember(step, locks)


def install_test_packages() -> None:
    """Install what the frontends of docs/frontends.md are made with.

    Raises:
        SetupError: There is no npm, or it failed.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SetupError(f"the docs' frontends need packages, and there is no npm. {NODE_WANTED}")
    install_packages(npm, _TEST_PAGES, "the packages of the docs' frontends", "npm-test-pages")
