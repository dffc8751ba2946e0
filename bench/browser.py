"""A headless Chromium with one page that joins rooms and measures how long that takes."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, Route, sync_playwright

from tests.browser.join_page import chromium_path
from tests.processes import ROOT

_CLIENT = ROOT / "web/node_modules/livekit-client/dist/livekit-client.umd.js"
_JOIN = Path(__file__).parent / "join.js"
_FLAGS = (
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    # The page is made up by us, and comes from no address: it may not talk to loopback else.
    "--disable-features=LocalNetworkAccessChecks",
    # Nothing of Chromium's own takes time.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-gpu",
    "--no-first-run",
)
_TIMEOUT_MS = 20_000


@dataclass(frozen=True, kw_only=True)
class Join:
    """One join's milliseconds; `connected` and `subscribed` count from the press of the button."""

    token_ms: float
    connected_ms: float
    subscribed_ms: float


class JoiningPage:
    """The page; a token comes from its own origin or from us."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def join_with_fetched_token(self, *, pause_ms: int = 0) -> Join:
        """Fetch a token from the token server, wait, join, leave."""
        return self._measure(url=None, token=None, pause_ms=pause_ms)

    def join_with_token(self, livekit_url: str, token: str) -> Join:
        """Join with a token, leave."""
        return self._measure(url=livekit_url, token=token, pause_ms=0)

    def _measure(self, *, url: str | None, token: str | None, pause_ms: int) -> Join:
        given = {"url": url, "token": token, "pauseMs": pause_ms, "timeoutMs": _TIMEOUT_MS}
        measured: dict[str, float] = self._page.evaluate("given => measureJoin(given)", given)
        return Join(
            token_ms=measured["tokenMs"],
            connected_ms=measured["connectedMs"],
            subscribed_ms=measured["subscribedMs"],
        )


@contextmanager
def joining_page(
    origin: str, *, chromium: Path | None = None, flags: Sequence[str] = ()
) -> Iterator[JoiningPage]:
    """Open the page at the token server's origin; the server need not run for that.

    `chromium` is another program than the one on PATH, which gets these flags too.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium or chromium_path(),
            args=[*_FLAGS, *flags],
            # Chromium refuses its sandbox to root.
            chromium_sandbox=os.geteuid() != 0,
        )
        page = browser.new_page()
        page.route("**/bench", _answer_with_empty_page)
        page.goto(f"{origin}/bench")
        page.add_script_tag(path=_CLIENT)
        page.add_script_tag(path=_JOIN)
        yield JoiningPage(page)
        browser.close()


def _answer_with_empty_page(route: Route) -> None:
    route.fulfill(content_type="text/html", body="<!doctype html><title>bench</title>")
