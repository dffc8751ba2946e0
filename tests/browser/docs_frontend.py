"""A frontend as its author serves it: files of the docs on an origin of their own."""

import shutil
import subprocess
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.loopback import Loopback
from tests.processes import ROOT, wait_until
from tests.snippets import Snippet, settings_in, snippet

PAGE = "docs/frontends.md"
SETTINGS = snippet(PAGE, "CORS_ORIGINS=")
# Where the page's snippets expect the token server.
_TOKEN_SERVER = "https://tokens.example.com"
# Where Vite's development server is, in the page's settings.
_ORIGIN = "http://localhost:5173"
PACKAGES = ROOT / "tests/browser/components/node_modules"
_LIBRARY = PACKAGES / "livekit-client/dist/livekit-client.esm.mjs"
_VITE = ROOT / "web/node_modules/vite/bin/vite.js"
# Root mean square of samples in -1 to 1; silence is 0, the parrot's greeting about 0.05.
_AUDIBLE = 0.005
_RECORD_STATUS = """() => {
    window.__said = [];
    new MutationObserver(() => {
        window.__said.push(document.querySelector("[role=status]").textContent);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
_LOUDNESS = """async () => {
    window.__audio ??= new AudioContext();
    let loudest = 0;
    for (const element of document.querySelectorAll("audio")) {
        if (!element.srcObject) continue;
        const meter = window.__audio.createAnalyser();
        window.__audio.createMediaStreamSource(element.srcObject).connect(meter);
        const samples = new Float32Array(meter.fftSize);
        for (let look = 0; look < 10; look++) {
            await new Promise((resolve) => setTimeout(resolve, 20));
            meter.getFloatTimeDomainData(samples);
            const squares = samples.reduce((sum, one) => sum + one * one, 0);
            loudest = Math.max(loudest, Math.sqrt(squares / samples.length));
        }
        meter.disconnect();
    }
    return loudest;
}"""


class Sites(Loopback):
    """Serves the folders of frontends, on an origin that is not the token server's."""

    def __init__(self, folder: Path) -> None:
        class Handler(SimpleHTTPRequestHandler):
            """Serves the files and says nothing of it."""

            def __init__(self, *arguments: Any) -> None:  # noqa: ANN401 (as the base has it)
                super().__init__(*arguments, directory=str(folder))

            def log_message(self, *_: object) -> None:
                """Be silent."""

        super().__init__(Handler)
        self._folder = folder
        self.origin = f"http://localhost:{self.port}"
        # The page's own line, with the port that is free here.
        self.settings = {
            k: v.replace(_ORIGIN, self.origin) for k, v in settings_in(SETTINGS).items()
        }

    def new(self, name: str) -> Path:
        """Return an empty folder, whose files are at `/name/`."""
        folder = self._folder / name
        folder.mkdir()
        return folder


def write_snippet(snippet: Snippet, file: Path, token_server: str) -> None:
    """Write a file of the page, with the address of the token server that runs here."""
    assert file.name in snippet.text.partition("\n")[0]
    file.write_text(snippet.text.replace(_TOKEN_SERVER, token_server))


def add_library(folder: Path) -> None:
    """Put livekit-client beside a page, as the docs say it for one without a bundler."""
    (folder / _LIBRARY.name).symlink_to(_LIBRARY)


def build_with_vite(sources: Path) -> Path:
    """Bundle `index.html` and what it imports; return the folder of the result."""
    (sources / "node_modules").symlink_to(PACKAGES)
    node = shutil.which("node")
    assert node, "no Node.js on PATH"
    built = subprocess.run(
        [node, str(_VITE), "build", "--base=./", str(sources)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return sources / "dist"


class Frontend:
    """One tab with a page of the docs in it."""

    def __init__(self, browser: Browser) -> None:
        self._context = browser.new_context()
        self.page = self._context.new_page()

    def press(self, button: str) -> None:
        """Press the button of that name."""
        self.page.get_by_role("button", name=button, exact=True).click()

    def status(self) -> str:
        """Return what the page says of the agent."""
        return self.page.get_by_role("status").inner_text()

    def wait_for_sound(self) -> None:
        """Wait until something is heard on the page."""
        wait_until(self._is_heard, within=20, what=f"the agent is heard; {self.status()!r}")

    def wait_for_words(self, words: str) -> None:
        """Wait until the page has said this, be it for a moment, since `record_status`."""
        wait_until(lambda: words in self.evaluate("window.__said"), within=15, what=words)

    def record_status(self) -> None:
        """From now on remember each thing that the page says of the agent."""
        self.evaluate(_RECORD_STATUS)

    def evaluate(self, script: str, given: object = None) -> Any:  # noqa: ANN401 (any JSON)
        """Run a script in the page; return what it returns."""
        return self.page.evaluate(script, given)

    def close(self) -> None:
        """Close the tab."""
        self._context.close()

    def _is_heard(self) -> bool:
        return bool(self.page.evaluate(_LOUDNESS) > _AUDIBLE)
