"""The server's timeline beside the browser's own: where the second went."""

import itertools
from typing import Literal

import pytest
from playwright.sync_api import WebSocketRoute

from tests.browser.conftest import OpenPage
from tests.browser.running_system import RunningSystem
from tests.processes import AGENT_NAME, wait_until

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]
# A window of 320 CSS pixels is what WCAG 1.4.10 (reflow) asks for.
_LOOKS: tuple[tuple[str, int, Literal["light", "dark"]], ...] = (
    ("desktop-light", 1280, "light"),
    ("desktop-dark", 1280, "dark"),
    ("phone-dark", 360, "dark"),
    ("narrow-light", 320, "light"),
)
# What the server sees of a join before the browser can: its end of the same step.
_BEFORE = (("token_issued", "token"), ("joined", "connected"), ("agent_joined", "agent"))


def test_what_the_server_did_is_between_the_browsers_steps(
    system: RunningSystem, open_page: OpenPage
) -> None:
    """Who asks where the second went needs both on one axis, in one order, and legible anywhere."""
    page = open_page(system.page_url)
    page.press("Join")
    page.wait_for_stage("heard")
    page.wait_for_server_row("agent_joined")

    rows = page.rows()
    at = {row["what"]: row["ms"] for row in rows}
    assert all(one["ms"] <= next_["ms"] for one, next_ in itertools.pairwise(rows))
    assert [] == [(server, own) for server, own in _BEFORE if at[server] > at[own]]
    assert at["room_ready"] <= at["token_issued"] <= at["dispatched"] <= at["agent_joined"]
    shown = page.page.get_by_role("listitem").filter(has_text="Dispatched").inner_text()
    assert "server" in shown
    assert AGENT_NAME in page.page.get_by_role("list").first.inner_text()
    for name, width, scheme in _LOOKS:
        page.page.set_viewport_size({"width": width, "height": 800})
        page.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.take_picture(f"timeline-{name}")
        assert (name, width, []) == (name, page.width(), page.accessibility_faults())
    assert page.complaints == []


def test_a_connection_that_is_cut_is_said_in_words_and_comes_back(
    system: RunningSystem, open_page: OpenPage
) -> None:
    """A change of network is not the end of a call; a screen reader hears of it, once."""
    page = open_page(system.page_url)
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    page.page.route_web_socket("**/rtc/**", through)
    page.press("Join")
    page.wait_for_stage("heard")
    sockets[-1].close(code=4000)

    wait_until(
        lambda: page.rows("browser")[-1]["what"] == "back", within=20, what="back, as the page says"
    )
    page.wait_for_stage("heard")

    said = page.read_out()
    assert 1 == said.count("Connection lost. Trying to come back…")
    assert "The agent is here." == said[-1]
    assert len(said) == len([one for one, _ in itertools.groupby(said)])
    assert len(system.agents_in(page.room_name())) == 1


def test_livekit_that_is_restarted_gets_its_people_and_their_agent_back(
    system: RunningSystem, open_page: OpenPage
) -> None:
    """A deploy of LiveKit in mid call: the page says so, and goes on when it is back."""
    page = open_page(system.page_url)
    page.press("Join")
    page.wait_for_stage("heard")

    system.livekit.process.kill()
    page.wait_for_text("The connection is lost")
    page.take_picture("reconnecting-desktop-light")
    system.livekit.start()

    wait_until(
        lambda: page.rows("browser")[-1]["what"] == "back", within=40, what="back, as the page says"
    )
    page.wait_for_stage("heard")
    assert page.page.get_by_role("alert").inner_text() == ""
    # The one before comes back as the next one is on its way: one of them goes again.
    wait_until(lambda: len(system.agents_in(page.room_name())) == 1, within=10, what="one agent")
