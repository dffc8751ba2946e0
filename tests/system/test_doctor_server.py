"""`token-server doctor` where the token server, or what LiveKit sends it, is set up wrongly."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import wait_until
from tests.system.deployment import Deployment
from tests.system.doctor_stage import BorrowedStack, Stack
from tests.system.path_proxy import PathProxy
from tests.system.webhook_relay import Post, WebhookRelay

pytestmark = pytest.mark.live


def test_the_key_of_callers_is_taken_from_the_settings(well: Stack) -> None:
    """The same variables that the server has."""
    callers = {"TOKEN_AUTH": "key", "TOKEN_KEYS": "first-key,second-key"}
    diagnosis = well.with_web(**callers).diagnose(**callers)

    assert (0, []) == (diagnosis.exit_code, diagnosis.causes())


@pytest.fixture
def relayed(shared_deployment: Deployment, tmp_path: Path) -> Iterator[tuple[WebhookRelay, Stack]]:
    """Somebody between LiveKit and a `web` that is still to be started."""
    with (
        BorrowedStack(shared_deployment, tmp_path, hears_webhooks=False) as stack,
        WebhookRelay(shared_deployment.webhook_port) as relay,
    ):
        yield relay, stack


@pytest.mark.parametrize(
    ("cause", "path", "fate"),
    [
        # They are configured, so looking at the configuration alone finds nothing.
        pytest.param("webhooks-stopped", "/webhook", [Post.PROMPT, Post.LOST], id="no-longer"),
        # LiveKit's own log is the only other place that tells.
        pytest.param("webhook-path", "/livekit/webhook", [Post.PROMPT], id="wrong-path"),
    ],
)
def test_webhooks_that_do_not_arrive_are_named(
    relayed: tuple[WebhookRelay, Stack], cause: str, path: str, fate: list[Post]
) -> None:
    """Agents come all the same, so that nobody looks."""
    relay, stack = relayed
    relay.target = f"{stack.with_web().web_url}{path}"
    relay.post, delivered = fate[0], relay.delivered
    stack.token(f"before-{cause}")
    if relay.post is Post.PROMPT:
        wait_until(lambda: relay.delivered > delivered, within=5, what="a webhook")
    relay.post = fate[-1]

    diagnosis = stack.diagnose()

    assert (1, [cause]) == (diagnosis.exit_code, diagnosis.causes())


def test_a_livekit_with_two_addresses_and_paths_is_all_green(well: Stack) -> None:
    """The server calls it inside the house, a browser comes through a proxy."""
    with (
        PathProxy(well.livekit.url, "/inner") as inner,
        PathProxy(well.livekit.url, "/outer/path") as outer,
    ):
        addresses = {"LIVEKIT_URL": inner.url, "LIVEKIT_PUBLIC_URL": outer.url}
        diagnosis = well.with_web(**addresses).diagnose(**addresses)

    assert (0, []) == (diagnosis.exit_code, diagnosis.causes())
    assert {"/inner/twirp"} == {path[:12] for path in inner.paths if "/twirp/" in path}
    assert any(path.startswith("/outer/path/rtc") for path in outer.paths)
    assert not any("/twirp/" in path for path in outer.paths)


def test_a_rate_limit_is_no_verdict(well: Stack) -> None:
    """The doctor has to come again."""
    well.with_web(RATE_LIMIT="1/day").token("spent")
    diagnosis = well.diagnose()

    assert (2, ["rate-limited"]) == (diagnosis.exit_code, diagnosis.causes())
