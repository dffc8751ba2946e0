"""Programs of the operating system that only the tests need."""

import os
import shutil
import sys
from collections.abc import Callable

from setup import SetupError
from setup.progress import run

# Debian's package, and the names that its program has here or elsewhere.
_PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "espeak-ng": ("espeak-ng",),
    "nginx-light": ("nginx", "/usr/sbin/nginx"),
    "prometheus": ("prometheus",),
    "redis-server": ("redis-server",),
}
if sys.platform == "linux":
    _PROGRAMS["systemd"] = ("systemd-analyze",)  # checks the units of docs/operating.md


def missing_packages(which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """Return the packages none of whose programs is on PATH."""
    return [package for package, names in _PROGRAMS.items() if not any(map(which, names))]


def install_missing_programs() -> None:
    """Install them where that can be done without asking: as root, with apt-get.

    Raises:
        SetupError: Some are missing and this is not such a machine.
    """
    missing = missing_packages()
    if not missing:
        return
    apt_get = shutil.which("apt-get")
    if apt_get is None or os.geteuid() != 0:
        how = f"sudo apt-get install {' '.join(missing)}" if apt_get else "your package manager"
        raise SetupError(f"the tests need {', '.join(missing)}. Install them: {how}")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("reading Debian's package lists", [apt_get, "update"], environ=environ)
    install = [apt_get, "install", "--yes", "--no-install-recommends", *missing]
    run(f"installing {', '.join(missing)}", install, environ=environ)
