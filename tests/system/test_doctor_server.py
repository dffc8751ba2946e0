"""`token-server doctor` where the token server, or what LiveKit sends it, is set up wrongly."""

from pathlib import Path

import pytest

from tests.humans import Humans
from tests.issuer import Issuer
from tests.processes import API_KEY, LiveKitServer, free_port, wait_until
from tests.system.date_proxy import DateProxy
from tests.system.doctor_stage import OTHER_KEY, OTHER_SECRET, Stack
from tests.system.webhook_relay import Post, WebhookRelay

pytestmark = pytest.mark.live

TWO_KEYS = {"keys": {OTHER_KEY: OTHER_SECRET}}
HASH_OF_SECRET_KEY = "sha256:85dbe15d75ef9308c7ae0f33c7a324cc6f4bf519a2ed2f3027bd33c140a4f9aa"


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"LIVEKIT_API_SECRET": "x" * 40}, id="secret"),
        pytest.param({"LIVEKIT_API_KEY": OTHER_KEY, "LIVEKIT_API_SECRET": OTHER_SECRET}, id="key"),
    ],
)
def test_a_server_with_other_credentials_is_named(tmp_path: Path, settings: dict[str, str]) -> None:
    """The terminal has the new .env, the server runs with the old one."""
    with Stack(tmp_path, livekit=TWO_KEYS) as stack:
        diagnosis = stack.with_web(**settings).diagnose()

    assert (1, ["other-credentials"]) == (diagnosis.exit_code, diagnosis.causes())


def test_a_server_at_another_livekit_is_named(tmp_path: Path) -> None:
    """Two local servers have the same development key."""
    with LiveKitServer(tmp_path) as other, Stack(tmp_path) as stack:
        diagnosis = stack.with_web(LIVEKIT_URL=other.url).diagnose()

    assert (1, ["other-livekit"]) == (diagnosis.exit_code, diagnosis.causes())
    assert other.url in diagnosis.text("other-livekit")


def test_a_server_that_cannot_reach_its_livekit_is_named(tmp_path: Path) -> None:
    """An address that is good here need not be good where the server runs."""
    with Stack(tmp_path) as stack:
        diagnosis = stack.with_web(LIVEKIT_URL=f"ws://127.0.0.1:{free_port()}").diagnose()

    assert (1, ["server-not-ready"]) == (diagnosis.exit_code, diagnosis.causes())


def test_tokens_that_end_too_soon_are_named(tmp_path: Path) -> None:
    """LiveKit's clients drop a token that has a minute left."""
    with Stack(tmp_path) as stack:
        diagnosis = stack.with_web(TOKEN_TTL_SECONDS="30").with_worker().diagnose()

    assert (1, ["token-lifetime"]) == (diagnosis.exit_code, diagnosis.causes())


def test_a_redis_that_is_gone_is_named(tmp_path: Path) -> None:
    """Agents come all the same, so nobody notices."""
    redis_url = f"redis://:a-password-of-redis@127.0.0.1:{free_port()}"
    with Stack(tmp_path) as stack:
        stack.with_web(REDIS_URL=redis_url).with_worker()
        diagnosis = stack.diagnose(REDIS_URL=redis_url)

    assert (1, {"redis"}) == (diagnosis.exit_code, set(diagnosis.causes("wrong")))
    assert "a-password-of-redis" not in diagnosis.printed


def test_the_key_of_callers_is_taken_from_the_settings(tmp_path: Path) -> None:
    """The same variables that the server has."""
    callers = {"TOKEN_AUTH": "key", "TOKEN_KEYS": "first-key,second-key"}
    with Stack(tmp_path) as stack:
        diagnosis = stack.with_web(**callers).diagnose(**callers)
        other = stack.diagnose(TOKEN_AUTH="key", TOKEN_KEYS="old-key")

    assert ["no-worker"] == diagnosis.causes()
    assert (1, ["server-refuses"]) == (other.exit_code, other.causes())


def test_hashed_keys_need_one_that_is_shown(tmp_path: Path) -> None:
    """The doctor cannot guess; it says what to add."""
    callers = {"TOKEN_AUTH": "key", "TOKEN_KEYS": HASH_OF_SECRET_KEY}
    with Stack(tmp_path) as stack:
        without = stack.with_web(**callers).diagnose(**callers)
        shown = stack.diagnose("--login", "secret-key", **callers)

    assert (2, ["login-needed"]) == (without.exit_code, without.causes())
    assert ["no-worker"] == shown.causes()


def test_a_login_token_is_shown_to_a_server_that_wants_one(tmp_path: Path) -> None:
    """With TOKEN_AUTH=jwt only a person who has logged in can be probed for."""
    with Issuer() as issuer, Stack(tmp_path) as stack:
        callers = {
            "TOKEN_AUTH": "jwt",
            "TOKEN_JWT_ISSUER": issuer.url,
            "TOKEN_JWT_AUDIENCE": "my-app",
        }
        without = stack.with_web(**callers).diagnose(**callers)
        shown = stack.diagnose("--login", issuer.sign(), **callers)

    assert (2, ["login-needed"]) == (without.exit_code, without.causes())
    assert ["no-worker"] == shown.causes()


def test_a_room_that_serves_one_caller_after_another_is_named(tmp_path: Path) -> None:
    """A room name that is written into the frontend: the next caller gets the last one's room."""
    with Stack(tmp_path) as stack, Humans() as humans:
        stack.with_web().with_worker()
        humans.join(stack.livekit.url, stack.token("lobby"))
        humans.leave()
        wait_until(lambda: stack.seconds_empty("lobby") > 3, within=10, what="no mere reload")
        humans.join(stack.livekit.url, stack.token("lobby"))
        diagnosis = stack.diagnose()
        meant = stack.diagnose(ROOM_NAMES="lobby,*")

    assert (1, ["room-names-reused"]) == (diagnosis.exit_code, diagnosis.causes())
    assert "lobby: once somebody came" in diagnosis.text("room-names-reused")
    assert (0, []) == (meant.exit_code, meant.causes())


def test_webhooks_that_nobody_sends_are_named(tmp_path: Path) -> None:
    """Without them all works, slower; nobody sees why."""
    with Stack(tmp_path, webhook_path=None) as stack:
        diagnosis = stack.with_web().with_worker().diagnose()

    assert (1, ["no-webhooks"]) == (diagnosis.exit_code, diagnosis.causes())
    assert f"add {stack.web_url}/webhook" in diagnosis.text("no-webhooks")


def test_webhooks_that_no_longer_arrive_are_named(tmp_path: Path) -> None:
    """They are configured, so looking at the configuration alone finds nothing."""
    with (
        WebhookRelay() as relay,
        Stack(tmp_path, livekit={"webhook": {"urls": [relay.url]}}) as stack,
    ):
        relay.target = f"{stack.web_url}/webhook"
        stack.with_web().with_worker().token("before")
        wait_until(lambda: relay.delivered, within=5, what="a webhook")
        relay.post = Post.LOST
        diagnosis = stack.diagnose()

    assert (1, ["webhooks-stopped"]) == (diagnosis.exit_code, diagnosis.causes())


def test_webhooks_to_a_wrong_path_are_named(tmp_path: Path) -> None:
    """LiveKit's own log is the only other place that tells."""
    with Stack(tmp_path, webhook_path="/livekit/webhook") as stack:
        diagnosis = stack.with_web().with_worker().diagnose()

    assert (1, ["webhook-path"]) == (diagnosis.exit_code, diagnosis.causes())


def test_webhooks_signed_with_a_key_we_do_not_know_are_named(tmp_path: Path) -> None:
    """A project has several keys, and the dashboard chooses one for webhooks."""
    livekit = TWO_KEYS | {"webhook": {"api_key": OTHER_KEY}}
    with Stack(tmp_path, livekit=livekit) as stack:
        diagnosis = stack.with_web().with_worker().diagnose()

    assert (1, ["webhook-key"]) == (diagnosis.exit_code, diagnosis.causes())
    assert API_KEY not in diagnosis.printed


def test_an_address_that_frontends_cannot_join_at_is_named(tmp_path: Path) -> None:
    """LIVEKIT_URL is what the server reaches, and also what browsers are sent to."""
    with Stack(tmp_path) as stack, DateProxy(stack.livekit.url, 0) as for_calls_only:
        diagnosis = stack.with_web(LIVEKIT_URL=for_calls_only.url).diagnose()

    assert (1, ["join-failed"]) == (diagnosis.exit_code, diagnosis.causes("wrong")[:1])
    assert for_calls_only.url in diagnosis.text("join-failed")


def test_a_rate_limit_is_no_verdict(tmp_path: Path) -> None:
    """The doctor has to come again."""
    with Stack(tmp_path) as stack:
        stack.with_web(RATE_LIMIT="1/minute").token("spent")
        diagnosis = stack.diagnose()

    assert (2, ["rate-limited"]) == (diagnosis.exit_code, diagnosis.causes())


def test_media_that_cannot_pass_is_named(tmp_path: Path) -> None:
    """Signalling works through every proxy; UDP does not."""
    with Stack(tmp_path, livekit={"rtc": {"interfaces": {"includes": ["none0"]}}}) as stack:
        diagnosis = stack.with_web().diagnose()

    assert (1, ["media-blocked"]) == (diagnosis.exit_code, diagnosis.causes())
