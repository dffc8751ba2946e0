"""A browser with a speaking microphone, and the system with and without its worker.

All of it ends with this folder's tests: where Playwright runs, no other test can run asyncio.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Literal, Protocol

import pytest
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.browser.docs_frontend import Sites
from tests.browser.fake_microphone import record_sentence
from tests.browser.join_page import JoinPage, chromium_flags, chromium_path
from tests.browser.running_system import PAGE, RunningSystem, running_system

Launch = Callable[..., Browser]


class OpenPage(Protocol):
    """Opens the page in a new tab with a storage of its own."""

    def __call__(
        self,
        url: str,
        *,
        viewport: ViewportSize | None = None,
        color_scheme: Literal["light", "dark"] = "light",
    ) -> JoinPage: ...


@pytest.fixture(scope="package", autouse=True)
def _built_page() -> None:
    if not PAGE.is_file():
        pytest.fail(
            "the page is not built: run `make setup` (or `npm ci && npm run build` in web/)"
        )


@pytest.fixture(scope="package")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    """Launch headless Chromiums that are closed after the tests."""
    microphone = record_sentence(tmp_path_factory.mktemp("microphone"))
    with sync_playwright() as playwright:
        yield lambda *flags: playwright.chromium.launch(
            executable_path=chromium_path(),
            args=[*chromium_flags(microphone), *flags],
            # Chromium refuses its sandbox to root.
            chromium_sandbox=os.geteuid() != 0,
        )


@pytest.fixture(scope="package")
def browser(launch: Launch) -> Iterator[Browser]:
    """One Chromium that plays sound unasked; each test has tabs of its own in it."""
    with launch("--autoplay-policy=no-user-gesture-required") as browser:
        yield browser


@pytest.fixture(scope="package")
def strict_browser(launch: Launch) -> Iterator[Browser]:
    """A Chromium that plays no sound before somebody clicks."""
    with launch("--autoplay-policy=document-user-activation-required") as browser:
        yield browser


@pytest.fixture(scope="package")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """Serve frontends that are not the token server's own page."""
    with Sites(tmp_path_factory.mktemp("sites")) as sites:
        yield sites


@pytest.fixture(scope="package")
def system(sites: Sites, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """Everything runs, and the other frontends are let in."""
    folder = tmp_path_factory.mktemp("system")
    with running_system(folder, has_worker=True, **sites.settings) as running:
        yield running


@pytest.fixture(scope="package")
def workerless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """There is no worker, and a token needs a key."""
    folder = tmp_path_factory.mktemp("workerless")
    auth = {"TOKEN_AUTH": "key", "TOKEN_KEYS": "a-made-up-key"}
    with running_system(folder, has_worker=False, **auth) as running:
        yield running


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open pages that are closed after the test."""
    with contextlib.ExitStack() as opened:

        def open_page(
            url: str,
            *,
            viewport: ViewportSize | None = None,
            color_scheme: Literal["light", "dark"] = "light",
        ) -> JoinPage:
            context = browser.new_context(viewport=viewport, color_scheme=color_scheme)
            opened.callback(context.close)
            page = JoinPage(context.new_page(), url)
            page.open()
            return page

        yield open_page
