"""What a real browser lets other sites send to `make dev`, and what the server lets through."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Launch
from tests.browser.running_system import RunningSystem
from tests.loopback import Loopback

_SEND = "([url, method]) => fetch(url, {mode: 'no-cors', method}).then(() => 'sent')"


class Stranger(BaseHTTPRequestHandler):
    """A site that somebody has open in another tab."""

    def do_GET(self) -> None:
        """Answer with a page that can do as it likes."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>stranger</title>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def tab(launch: Launch) -> Iterator[Page]:
    """A tab of a browser that is led to this machine by a stranger's name."""
    with launch("--host-resolver-rules=MAP *.example 127.0.0.1") as browser:
        yield browser.new_page()


def test_a_page_of_another_site_makes_no_room(tab: Page, system: RunningSystem) -> None:
    """It cannot read the answer; and nothing is done for it."""
    statuses: list[int] = []
    tab.on("response", lambda answer: statuses.append(answer.status))
    with Loopback(Stranger) as stranger:
        tab.goto(f"http://stranger.example:{stranger.port}/")
        statuses.clear()
        for method in ("POST", "GET"):
            tab.evaluate(_SEND, [f"{system.page_url}token", method])

    assert [403, 403] == statuses


def test_a_strangers_name_for_this_machine_shows_no_page(tab: Page, system: RunningSystem) -> None:
    """DNS rebinding: its page would be the server's own, and might read every token."""
    answer = tab.goto(f"http://stranger.example:{urlsplit(system.page_url).port}/")

    assert answer is not None
    assert (403, "permission_denied") == (answer.status, answer.json()["code"])


def test_a_link_on_another_site_leads_to_the_page(tab: Page, system: RunningSystem) -> None:
    """And all that the page is made of is let through."""
    with Loopback(Stranger) as stranger:
        tab.goto(f"http://stranger.example:{stranger.port}/")
        tab.evaluate("url => { location.href = url }", system.page_url)
        tab.get_by_role("button").first.wait_for()

        assert tab.url.startswith(system.page_url)
