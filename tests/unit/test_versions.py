"""`docs/versions.md` says what was tried, and of what the tests run with it says the truth."""

import json
import re

import pytest

from setup.livekit_server import VERSION
from tests.processes import ROOT

PAGE = (ROOT / "docs/versions.md").read_text()
_LOCKED = dict(
    re.findall(r"^([\w-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
)
_PACKAGE = json.loads((ROOT / "tests/browser/components/package.json").read_text())
_PACKAGES = _PACKAGE["dependencies"] | _PACKAGE["devDependencies"]


@pytest.mark.parametrize(
    "row",
    [
        f"| {VERSION} | every test",
        f"| Python {_LOCKED['livekit-agents']} | every test",
        f"| livekit {_LOCKED['livekit']} (Python) |",
        f"| livekit-client {_PACKAGES['livekit-client']} (JavaScript) |",
        f"| livekit-server-sdk {_PACKAGES['livekit-server-sdk']} (Node.js) |",
        f"| @livekit/components-react {_PACKAGES['@livekit/components-react']} |",
    ],
)
def test_what_every_test_runs_with_is_on_the_page(row: str) -> None:
    """A dependency that is raised was tried, and the page goes stale unless something compares."""
    assert f"\n{row}" in PAGE
