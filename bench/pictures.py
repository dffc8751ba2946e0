"""`make pictures`: the README's pictures, each of a real run, into docs/pictures/.

The test page while its agent speaks; and `token-server doctor`, coloured as on a terminal, where
the worker has been started under another name.
"""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from socket import gethostname
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, ViewportSize, sync_playwright
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from tests.browser.fake_microphone import record_sentence
from tests.browser.join_page import JoinPage, chromium_flags, chromium_path
from tests.browser.running_system import running_system
from tests.processes import ROOT, free_port, start_from_procfile

_FOLDER = ROOT / "docs/pictures"
_COMMAND = "token-server doctor"
_COLUMNS, _LINES = 100, 60
_WINDOW = ViewportSize(width=1000, height=720)
# As wide as the text, and in a font that is there.
_TERMINAL = """<style>body {{ margin: 0 }} pre {{ display: inline-block; margin: 0;
    padding: 16px 20px; font: 14px/1.45 monospace; color: {foreground};
    background: {background} }}</style>
<body><pre>{code}</pre></body>"""


def main() -> None:
    """Make both."""
    _FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        microphone = record_sentence(Path(folder))
        browser = playwright.chromium.launch(
            executable_path=chromium_path(),
            args=[*chromium_flags(microphone), "--autoplay-policy=no-user-gesture-required"],
            # Chromium refuses its sandbox to root.
            chromium_sandbox=os.geteuid() != 0,
        )
        _picture_test_page(browser, Path(folder))
        _picture_doctor(browser, Path(folder))
        browser.close()


def _picture_test_page(browser: Browser, folder: Path) -> None:
    with running_system(folder, has_worker=True) as system:
        tab = browser.new_page(viewport=_WINDOW, device_scale_factor=1.5)
        page = JoinPage(tab, system.page_url)
        page.open()
        tab.get_by_label("Room").fill("kitchen")
        page.press("Join")
        page.wait_for_stage("heard")
        page.wait_for_server_row("agent_joined")
        tab.screenshot(path=_FOLDER / "test-page.png")
        tab.close()


def _picture_doctor(browser: Browser, folder: Path) -> None:
    with running_system(folder, has_worker=False) as system:
        port = str(free_port())
        environ = system.livekit.environ() | {
            "PORT": system.page_url.rstrip("/").rpartition(":")[2],
            "LIVEKIT_AGENT_PORT": port,
        }
        other = environ | {"LIVEKIT_AGENT_NAME": "parrot"}
        with start_from_procfile("worker", other, folder / "other.log") as worker:
            worker.wait_for_output("registered worker")
            said = _on_terminal(_COMMAND, environ).replace(gethostname(), "host")
    console = Console(record=True, width=_COLUMNS, file=StringIO())
    console.print(Text(f"$ {_COMMAND}\n") + Text.from_ansi(said))
    tab = browser.new_page(viewport=_WINDOW, device_scale_factor=1.5)
    tab.set_content(
        console.export_html(theme=DIMMED_MONOKAI, code_format=_TERMINAL, inline_styles=True)
    )
    tab.locator("pre").screenshot(path=_FOLDER / "doctor.png")


def _on_terminal(command: str, environ: Mapping[str, str]) -> str:
    """Return what a command prints on a terminal, colours included."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, _COLUMNS, 0, 0))
    program, *words = command.split()
    path = Path(sys.executable).with_name(program)
    with subprocess.Popen(  # noqa: S603 (a command of ours)
        [path, *words], stdout=its, stdin=its, env=dict(environ)
    ):
        os.close(its)
        said = b""
        # Linux answers EIO when the other side has closed.
        while chunk := _read(ours):
            said += chunk
    os.close(ours)
    return said.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


if __name__ == "__main__":
    main()
