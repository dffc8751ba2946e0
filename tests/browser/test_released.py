"""How long the mark of a released human lasts: through a lost connection, not through a reload."""

import json
import uuid
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from livekit import api
from playwright.sync_api import Browser

from shared_settings.release_marks import is_released, release_attribute, release_mark
from tests.browser.docs_frontend import Frontend, Sites, add_library
from tests.browser.running_system import RunningSystem
from tests.processes import AGENT_NAME, API_KEY, API_SECRET

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]
# Joins with one and the same token whenever it is loaded.
_PAGE = """
<script type="module">
  import { Room } from "./livekit-client.esm.mjs";
  const [url, token] = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  const room = new Room();
  await room.connect(url, token);
  window.room = room;
</script>
"""
_LOSE_CONNECTION = """(scenario) => new Promise((resolve) => {
    room.once("reconnected", resolve);
    room.simulateScenario(scenario);
})"""
# LiveKit sends a token that has the mark; before it has come a new join is by the first one.
_HAS_TOKEN = """(attribute) => {
    const claims = room.engine.token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return attribute in (JSON.parse(atob(claims)).attributes ?? {});
}"""


@pytest.fixture(scope="module")
def site(sites: Sites) -> str:
    """Make the page; return its address."""
    folder = sites.new("released")
    add_library(folder)
    (folder / "index.html").write_text(_PAGE)
    return f"{sites.origin}/released/index.html"


@pytest.fixture
def room_name() -> str:
    """A name that no room has yet."""
    return f"room-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def page(system: RunningSystem, site: str, browser: Browser, room_name: str) -> Iterator[Frontend]:
    """Join as Alice, and release her."""
    grants = api.VideoGrants(room_join=True, room=room_name)
    token = api.AccessToken(API_KEY, API_SECRET).with_identity("alice").with_grants(grants)
    tab = Frontend(browser)
    tab.page.goto(f"{site}#{quote(json.dumps([system.livekit.url, token.to_jwt()]))}")
    tab.page.wait_for_function("window.room")
    mark = release_mark(API_SECRET, room_name, "alice", AGENT_NAME)
    system.set_attributes(room_name, "alice", {release_attribute(AGENT_NAME): mark})
    tab.page.wait_for_function(_HAS_TOKEN, arg=release_attribute(AGENT_NAME))
    yield tab
    tab.close()


def is_marked(system: RunningSystem, room_name: str) -> bool:
    """Say whether LiveKit lists Alice as released."""
    (alice,) = system.participants(room_name)
    theirs = alice.get("attributes", {})
    return is_released([API_SECRET], room_name, "alice", AGENT_NAME, theirs)


@pytest.mark.parametrize(
    ("scenario", "joins_anew"), [("signal-reconnect", False), ("full-reconnect", True)]
)
def test_a_released_human_stays_so_when_their_connection_was_lost(
    system: RunningSystem, page: Frontend, room_name: str, scenario: str, *, joins_anew: bool
) -> None:
    """Nobody greets them because their phone changes networks (livekit-behaviour 64)."""
    (before,) = system.participants(room_name)

    page.evaluate(_LOSE_CONNECTION, scenario)

    (after,) = system.participants(room_name)
    assert (joins_anew, True) == (before["sid"] != after["sid"], is_marked(system, room_name))


def test_a_released_human_who_reloads_the_page_is_released_no_more(
    system: RunningSystem, page: Frontend, room_name: str
) -> None:
    """They want to talk again, with the token that they have (livekit-behaviour 64)."""
    before = is_marked(system, room_name)

    page.page.reload()
    page.page.wait_for_function("window.room")

    assert (True, False) == (before, is_marked(system, room_name))
