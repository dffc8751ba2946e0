"""Whom `make dev` asks to stop, and when."""

import pytest

from token_server.cli.dev.supervisor import to_ask


@pytest.mark.parametrize(
    ("running", "asked", "seconds", "expected"),
    [
        pytest.param({"livekit", "web"}, {}, 0, ["web"], id="livekit-waits-for-others"),
        pytest.param({"livekit", "web"}, {"web": 1}, 1, [], id="once-is-enough-at-first"),
        pytest.param({"livekit", "web"}, {"web": 1}, 2, ["web"], id="patience-ends"),
        pytest.param({"livekit", "web"}, {"web": 2}, 6, [], id="never-a-third-time"),
        pytest.param({"livekit"}, {"web": 1, "livekit": 1}, 1, ["livekit"], id="livekit-twice"),
        pytest.param({"livekit"}, {"livekit": 2}, 1, [], id="livekit-no-third-time"),
    ],
)
def test_agents_leave_their_rooms_before_livekit_goes(
    running: set[str], asked: dict[str, int], seconds: float, expected: list[str]
) -> None:
    """Whoever is in a call sees the agent leave, and Ctrl-C still takes seconds only."""
    assert expected == to_ask(running, asked, seconds)
