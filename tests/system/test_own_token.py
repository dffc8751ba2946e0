"""The page for a backend that mints its own tokens: what it shows, run as it stands there."""

import subprocess
from pathlib import Path

import pytest
from livekit import api

from tests.processes import AGENT_NAME, API_KEY, API_SECRET, ROOT
from tests.snippets import settings_in, snippets
from tests.system.conftest import Deploy
from tests.system.deployment import HEDGED, SOON, Deployment

pytestmark = pytest.mark.live

_PAGE = "docs/own-token.md"
(BACKEND,) = snippets(_PAGE, "js")
(SETTINGS,) = snippets(_PAGE, "ini")
RUNS = [BACKEND, SETTINGS]
# The page's, but for where LiveKit is.
_SETTINGS = {k: v for k, v in settings_in(SETTINGS).items() if not k.startswith("LIVEKIT_")}


_MINT = """
import { mint } from "./mint.mjs";
console.log(await mint(...process.argv.slice(1)));
"""


def minted(running: Deployment, folder: Path, room_name: str) -> str:
    """Have the page's backend mint a token for alice."""
    (folder / "mint.mjs").write_text(BACKEND.text)
    packages = folder / "node_modules"
    packages.unlink(missing_ok=True)
    packages.symlink_to(ROOT / "tests/browser/components/node_modules")
    command = ["node", "--input-type=module", "--eval", _MINT, room_name, "alice"]
    environ = running.livekit.environ()
    done = subprocess.run(
        command, env=environ, cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def see_an_agent_and_another_after_a_reload(
    running: Deployment, folder: Path, room_name: str, within: float
) -> None:
    """See the page's promise kept, with a token of the page's backend."""
    room = f"call-{room_name}"
    page = running.enter(minted(running, folder, room))[0]
    running.wait_for_one_agent(room, within)
    (before,) = running.rooms.list_rooms([room])
    page.leave()
    running.wait_for_no_agent(room)

    running.enter(minted(running, folder, room))

    running.wait_for_one_agent(room, within)
    (after,) = running.rooms.list_rooms([room])
    assert before.room_sid == after.room_sid


def test_a_human_with_a_token_of_ones_own_has_an_agent_and_after_a_reload_too(
    redeploy: Deploy, room_name: str, tmp_path: Path
) -> None:
    """The page's promise."""
    see_an_agent_and_another_after_a_reload(redeploy(**_SETTINGS), tmp_path, room_name, SOON)


def test_without_webhooks_they_have_it_later(
    redeploy: Deploy, room_name: str, tmp_path: Path
) -> None:
    """The sweep finds them."""
    running = redeploy(hears_webhooks=False, **_SETTINGS, TMPDIR=str(tmp_path))
    see_an_agent_and_another_after_a_reload(running, tmp_path, room_name, 20)


def test_an_agent_that_the_token_names_itself_is_the_one(redeploy: Deploy, room_name: str) -> None:
    """LiveKit sends it where the join makes the room; the keeper sends no second one."""
    running = redeploy(**_SETTINGS)
    room = f"call-{room_name}"
    named = api.RoomAgentDispatch(agent_name=AGENT_NAME, metadata="for this call")
    token = (
        api.AccessToken(API_KEY, API_SECRET)
        .with_identity("alice")
        .with_grants(api.VideoGrants(room_join=True, room=room))
        .with_room_config(api.RoomConfiguration(agents=[named]))
    )

    running.enter(token.to_jwt())

    running.wait_for_one_agent(room)
    sent = [line for line in running.web.output().splitlines() if "CreateDispatch" in line]
    assert [] == [line for line in sent if HEDGED not in line]
