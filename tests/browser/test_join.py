"""A person joins through the page and talks with the agent that comes."""

import itertools

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.running_system import RunningSystem
from tests.processes import AGENT_NAME, wait_until

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]
# Root mean square of samples in -1 to 1: about -34 dBFS, well over any noise of the codec.
_AUDIBLE = 0.02


def test_who_joins_hears_the_agent_and_hears_it_again_after_a_reload(
    system: RunningSystem, open_page: OpenPage
) -> None:
    """The whole point: a join gets its agent, and a reload keeps it (livekit-behaviour 61)."""
    page = open_page(system.page_url)
    page.press("Join")

    first = page.wait_for_stage("heard")
    page.take_picture("joined-desktop-light")
    page.page.reload()
    second = page.wait_for_stage("heard")

    assert first["roomName"] == second["roomName"] == page.room_name()
    for report in (first, second):
        assert report["agentName"] == AGENT_NAME
        assert report["loudestAgentRms"] > 0.005
    assert len(system.agents_in(page.room_name())) == 1
    assert page.complaints == []


def test_the_timeline_has_all_five_steps_in_order(
    system: RunningSystem, open_page: OpenPage
) -> None:
    """People compare these numbers: a missing or a reordered one is worse than none."""
    page = open_page(system.page_url)
    page.press("Join")

    timeline = page.wait_for_stage("heard")["timeline"]

    assert ["token", "connected", "agent", "audio", "sound"] == list(timeline)
    assert all(one <= next_ for one, next_ in itertools.pairwise(timeline.values()))
    assert page.complaints == []


def test_the_agent_answers_what_was_said(system: RunningSystem, open_page: OpenPage) -> None:
    """A greeting alone could be a recording: the second time it speaks, it has listened."""
    page = open_page(system.page_url)
    page.press("Join")
    page.wait_for_stage("heard")

    def says(state: str) -> bool:
        return bool(page.report()["agentState"] == state)

    wait_until(lambda: says("listening"), within=20, what="the agent listens")
    wait_until(
        lambda: says("speaking") and page.report()["agentRms"] > _AUDIBLE,
        within=20,
        what="the agent speaks audibly",
    )

    page.take_picture("speaking-desktop-light")
    assert page.complaints == []


def test_a_keyboard_is_enough(system: RunningSystem, open_page: OpenPage) -> None:
    """Not everybody has a mouse: Tab and Enter join, mute and leave."""
    page = open_page(system.page_url, color_scheme="dark")
    keyboard = page.page.keyboard
    page.page.get_by_label("Room").focus()

    keyboard.press("Enter")
    page.wait_for_stage("heard")
    page.wait_for_text("The agent is here.")
    page.page.get_by_role("button", name="Leave").focus()
    keyboard.press("Tab")
    keyboard.press("Space")
    wait_until(lambda: page.report()["microphone"] == "muted", within=5, what="muted")
    page.take_picture("muted-desktop-dark")
    keyboard.press("Shift+Tab")
    keyboard.press("Enter")

    assert page.wait_for_stage("ended")["ending"] == {"kind": "left"}
    assert page.complaints == []
