"""What the page says when something does not go as it should."""

import os

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.browser.conftest import OpenPage
from tests.browser.join_page import JoinPage
from tests.browser.running_system import RunningSystem
from tests.processes import AGENT_NAME, wait_until
from tests.system.web_processes import stopped

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]
_PHONE: ViewportSize = {"width": 360, "height": 740}
_LOOK_AT = ("registered worker", "LIVEKIT_AGENT_NAME", "MAX_JOBS", "Room ready", "LIVEKIT_URL")
_REFUSED_BY = "Failed to load resource"
_NO_MICROPHONE = """
    navigator.mediaDevices.getUserMedia = () =>
        Promise.reject(new DOMException("Permission denied", "NotAllowedError"));
"""


def test_without_a_worker_the_page_says_what_the_server_has_found(
    workerless: RunningSystem, open_page: OpenPage
) -> None:
    """The commonest first run: the token works, nobody comes. Here are the doctor's words."""
    page = open_page(workerless.page_url, viewport=_PHONE)
    page.press("Join")
    page.wait_for_text("The token server asks for a key")
    page.take_picture("key-phone")
    page.page.get_by_label("Key").fill("a-made-up-key")
    page.press("Join")

    page.wait_for_text("no-worker in docs/doctor.md")
    page.wait_for_text("no worker has taken the job yet")
    page.take_picture("waiting-phone")

    advice = page.page.get_by_role("alert").inner_text()
    assert f"LIVEKIT_AGENT_NAME={AGENT_NAME} python -m agent start" in advice
    assert 1 == page.read_out().count("The agent has not come yet")
    assert (_PHONE["width"], []) == (page.width(), page.accessibility_faults())
    assert all(complaint.startswith(_REFUSED_BY) for complaint in page.complaints)


def test_without_the_operators_key_the_page_names_the_usual_causes(
    workerless: RunningSystem, open_page: OpenPage
) -> None:
    """What the server did is for its operator: a line says how to see it, and no error."""
    page = open_page(workerless.page_url, color_scheme="dark")
    # With it the request is not from this machine, so it takes the operator's key.
    page.page.set_extra_http_headers({"X-Forwarded-For": "203.0.113.7"})
    page.press("Join")
    page.page.get_by_label("Key").fill("a-made-up-key")
    page.press("Join")

    page.wait_for_text("The agent has not come yet")
    page.wait_for_text(f"token-server room {page.room_name()}")
    page.take_picture("causes-desktop-dark")

    advice = page.page.get_by_role("alert").inner_text()
    assert [] == [word for word in _LOOK_AT if word not in advice]
    assert [] == page.rows("server")
    assert [] == page.accessibility_faults()


def test_a_refused_token_shows_the_servers_own_words(
    system: RunningSystem, open_page: OpenPage
) -> None:
    """Who gets a 4xx wants the code and the sentence, not "something went wrong"."""
    page = open_page(system.page_url, color_scheme="dark")
    page.page.get_by_label("Room").fill("x" * 5_000)

    page.press("Join")
    page.wait_for_text("The token server refused")
    page.take_picture("refused-desktop-dark")

    advice = page.page.get_by_role("alert").inner_text()
    assert "invalid_argument" in advice
    assert "room_name" in advice
    assert page.page.get_by_role("button", name="Join").is_enabled()


def test_a_token_server_that_does_not_answer_is_named(
    system: RunningSystem, open_page: OpenPage
) -> None:
    """A stopped web process must not look like a missing agent."""
    page = open_page(system.page_url)
    page.page.route("**/token", lambda route: route.abort())

    page.press("Join")

    page.wait_for_text("The token server does not answer")


def test_a_livekit_that_the_browser_cannot_reach_is_named(
    system: RunningSystem, open_page: OpenPage
) -> None:
    """A LIVEKIT_URL that works for the server only is a common trap: localhost from a phone."""
    page = open_page(system.page_url)
    page.page.route_web_socket("**/rtc/**", lambda socket: socket.close())
    page.page.route("**/rtc/**", lambda route: route.abort())

    page.press("Join")

    page.wait_for_text("No connection to LiveKit")
    page.wait_for_text(system.livekit.url)
    page.take_picture("unconnected-desktop-light")


def test_without_a_microphone_a_person_still_joins_and_hears(
    system: RunningSystem, open_page: OpenPage
) -> None:
    """A denied microphone is half a call, not none: the person hears, and is told so."""
    page = open_page(system.page_url)
    page.page.add_init_script(_NO_MICROPHONE)
    page.page.reload()

    page.press("Join")
    page.wait_for_stage("heard")

    page.wait_for_text("You are in without a microphone")
    page.take_picture("no-microphone-desktop-light")


def test_a_deleted_room_is_named_and_not_joined_again_by_a_reload(
    system: RunningSystem, open_page: OpenPage
) -> None:
    """Who was thrown out wants to know by what, and not to fall back in."""
    page = open_page(system.page_url)
    page.press("Join")
    page.wait_for_stage("heard")

    system.delete_room(page.room_name())
    page.wait_for_text("The room was deleted")
    page.page.reload()

    page.wait_for_text("You are not in the room.")
    assert page.report() == {}


def test_an_agent_that_freezes_is_shown_as_being_replaced_until_the_next_one_is_there(
    system: RunningSystem, open_page: OpenPage
) -> None:
    """Without a word the human goes on talking to nobody."""
    assert system.worker
    page = open_page(system.page_url)
    page.press("Join")
    page.wait_for_stage("heard")
    room_name = page.room_name()
    (frozen,) = system.agents_in(room_name)

    # With its worker, so that the next one cannot come before we have looked.
    with stopped(system.worker.popen.pid, os.killpg):
        wait_until(lambda: page.agent_pill() == "being replaced", within=20, what="the pill")
        page.wait_for_text("has stopped answering and is being replaced")
        page.take_picture("replaced-desktop-light")
        assert [] == page.accessibility_faults()

    states = {"listening", "speaking"}
    wait_until(lambda: page.agent_pill() in states, within=20, what="the next agent's state")
    page.wait_for_text("The agent is here.")
    assert frozen["identity"] not in {one["identity"] for one in system.agents_in(room_name)}
    assert page.complaints == []


def test_who_left_stays_out_after_a_reload(system: RunningSystem, open_page: OpenPage) -> None:
    """A reload joins again only who was in the room; the room's name stays in the address."""
    page = open_page(f"{system.page_url}?room=room-of-mine")
    page.press("Join")
    page.wait_for_stage("heard")

    page.press("Leave")
    page.wait_for_stage("ended")
    page.page.reload()

    assert (page.room_name(), page.report()) == ("room-of-mine", {})
    assert page.complaints == []


def test_sound_that_the_browser_holds_back_comes_with_a_click(
    system: RunningSystem, strict_browser: Browser
) -> None:
    """A reload joins without a click, and browsers then play nothing: silence needs a reason."""
    with strict_browser.new_context() as context:
        page = JoinPage(context.new_page(), system.page_url)
        page.open()
        page.press("Join")
        page.wait_for_stage("heard")

        page.page.reload()
        page.press("Play sound")

        page.wait_for_stage("heard")
        assert page.page.get_by_role("button", name="Play sound").is_hidden()
