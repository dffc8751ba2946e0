"""The test page, driven as a person does: by its labels and buttons."""

import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Page

from tests.processes import ROOT, wait_until

ARTIFACTS = ROOT / "tests/artifacts"
# From page to the agent's voice takes about half a second; a cold worker on a busy machine, more.
_PATIENCE_SECONDS = 30.0
_FLAGS = (
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    # Nothing of Chromium's own goes out, and nothing waits for it.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-gpu",
    "--no-first-run",
)


def chromium_path() -> str:
    """Return the browser on PATH: Debian's name first."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise FileNotFoundError("no Chromium on PATH: install the package `chromium`")
    return found


def chromium_flags(microphone: Path) -> list[str]:
    """Return the flags for a browser whose microphone is a recording, repeated."""
    return [*_FLAGS, f"--use-file-for-fake-audio-capture={microphone}"]


class JoinPage:
    """The page in one tab."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._url = url
        # Errors on the console, violations of the content security policy among them.
        self.complaints: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self) -> None:
        """Go to the page."""
        self.page.goto(self._url)

    def press(self, button: str) -> None:
        """Press the button of that name."""
        self.page.get_by_role("button", name=button, exact=True).click()

    def report(self) -> dict[str, Any]:
        """Return what the page has measured (web/src/report.ts); empty before the first join."""
        report: dict[str, Any] | None = self.page.evaluate("window.__join")
        return report or {}

    def room_name(self) -> str:
        """Return what the field says."""
        return self.page.get_by_label("Room").input_value()

    def wait_for_stage(self, stage: str) -> dict[str, Any]:
        """Wait until the call is that far (web/src/watch.ts), and return its report."""

        def ask() -> dict[str, Any] | None:
            report = self.report()
            return report if report.get("stage") == stage else None

        try:
            report = wait_until(ask, within=_PATIENCE_SECONDS, what=f"stage {stage!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}; the page says {self.report()}") from None
        assert report is not None
        return report

    def wait_for_text(self, text: str) -> None:
        """Wait until the page says so."""
        words = self.page.get_by_text(text)
        words.first.wait_for(timeout=1000 * _PATIENCE_SECONDS)

    def take_picture(self, name: str) -> None:
        """Leave a screenshot for people in tests/artifacts/."""
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)
