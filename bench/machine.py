"""What the figures were measured on, without the machine's name."""

import os
import platform
import re
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench.servers import start_livekit
from tests.browser.join_page import chromium_path

_PACKAGES = ("gunicorn", "flask", "livekit-api", "livekit", "livekit-agents")


def describe_machine() -> str:
    """Return one line: processor, system, and the version of everything that takes part."""
    parts = (
        f"{os.cpu_count()} cores, {_processor()}",
        f"{platform.system()} {platform.machine()}",
        f"livekit-server {_livekit_server_version()}",
        f"{platform.python_implementation()} {platform.python_version()}",
        f"Chromium {_chromium_version()}",
        f"Node.js {_node_version()}",
        *(f"{package} {version(package)}" for package in _PACKAGES),
    )
    return " · ".join(parts)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.is_file() else ""
    model = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return model[1] if model else platform.processor() or "unknown processor"


def _livekit_server_version() -> str:
    with tempfile.TemporaryDirectory() as folder, start_livekit(Path(folder)) as livekit:
        pattern = r'starting LiveKit server.*"version": "([^"]+)"'
        return livekit.process.wait_for_output(pattern)[1]


def _node_version() -> str:
    asked = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)  # noqa: S607 (whichever is on PATH is measured)
    return asked.stdout.strip().removeprefix("v")


def _chromium_version() -> str:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), chromium_sandbox=os.geteuid() != 0
        )
        # Debian's changes within days; the figures do not.
        found = browser.version.partition(".")[0]
        browser.close()
    return found
