"""The test page, driven as a person does: by its labels and buttons."""

import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Page

from tests.processes import ROOT, wait_until

ARTIFACTS = ROOT / "tests/artifacts"
_AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
# From page to the agent's voice takes about half a second; a cold worker on a busy machine, more.
_PATIENCE_SECONDS = 30.0
# Everything that a screen reader is given to read out unasked.
_RECORD_WORDS = """
    window.__said = [];
    addEventListener("DOMContentLoaded", () => {
        for (const region of document.querySelectorAll("[role=status], [role=alert], [aria-live]"))
            new MutationObserver(() => {
                const words = (region.querySelector("h2") ?? region).textContent;
                if (words) window.__said.push(words);
            }).observe(region, { childList: true, characterData: true, subtree: true });
    });
"""
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
        page.add_init_script(_RECORD_WORDS)

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

    def agent_pill(self) -> str:
        """Return what stands beside the agent."""
        return self.page.locator("#agent-state").inner_text()

    def read_out(self) -> list[str]:
        """Return what a screen reader was given to read out since the page was opened."""
        said: list[str] = self.page.evaluate("window.__said")
        return said

    def wait_for_server_row(self, event: str) -> None:
        """Wait until the page's timeline has this event of the server's (web/src/rows.ts)."""
        wait_until(
            lambda: event in {row["what"] for row in self.rows("server")},
            within=_PATIENCE_SECONDS,
            what=f"the server's {event!r} in {self.report().get('rows')}",
        )

    def rows(self, by: str = "") -> list[dict[str, Any]]:
        """Return the timeline's rows that have happened: all, the browser's or the server's."""
        rows: list[dict[str, Any]] = self.report().get("rows", [])
        return [row for row in rows if row.get("ms") is not None and by in {"", row["by"]}]

    def accessibility_faults(self) -> list[str]:
        """Return what axe-core finds wrong with the page as it is now (WCAG 2.2 AA and more)."""
        self.page.evaluate(_AXE.read_text())
        faults: list[str] = self.page.evaluate(
            "axe.run().then(({violations}) => violations.flatMap(({id, nodes}) =>"
            " nodes.map(({target, failureSummary}) => `${id} ${target}: ${failureSummary}`)))"
        )
        return faults

    def width(self) -> int:
        """Return how wide the page is, in CSS pixels; more than the window's is scrolled."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth")
        return width

    def take_picture(self, name: str) -> None:
        """Leave a screenshot for people in tests/artifacts/."""
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)
