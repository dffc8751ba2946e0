"""`token-server doctor` where the token server, or what LiveKit sends it, is set up wrongly."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.humans import Humans
from tests.issuer import Issuer
from tests.processes import API_KEY, LiveKitServer, free_port, wait_until
from tests.system.date_proxy import DateProxy
from tests.system.deployment import Deployment
from tests.system.doctor_stage import OTHER_KEY, OTHER_SECRET, BorrowedStack, Stack
from tests.system.path_proxy import PathProxy
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


def test_a_server_at_another_livekit_is_named(well: Stack, tmp_path: Path) -> None:
    """Two local servers have the same development key."""
    with LiveKitServer(tmp_path) as other:
        diagnosis = well.with_web(LIVEKIT_URL=other.url).diagnose()

    assert (1, ["other-livekit"]) == (diagnosis.exit_code, diagnosis.causes())
    assert other.url in diagnosis.text("other-livekit")


def test_a_server_that_cannot_reach_its_livekit_is_named(well: Stack) -> None:
    """An address that is good here need not be good where the server runs."""
    diagnosis = well.with_web(LIVEKIT_URL=f"ws://127.0.0.1:{free_port()}").diagnose()

    assert (1, ["server-not-ready"]) == (diagnosis.exit_code, diagnosis.causes())


def test_tokens_that_end_too_soon_are_named(well: Stack) -> None:
    """LiveKit's clients drop a token that has a minute left."""
    diagnosis = well.with_web(TOKEN_TTL_SECONDS="30").diagnose()

    assert (1, ["token-lifetime"]) == (diagnosis.exit_code, diagnosis.causes())


def test_a_redis_that_is_gone_is_named(well: Stack) -> None:
    """Agents come all the same, so nobody notices."""
    redis_url = f"redis://:a-password-of-redis@127.0.0.1:{free_port()}"
    diagnosis = well.with_web(REDIS_URL=redis_url).diagnose(REDIS_URL=redis_url)

    assert (1, {"redis"}) == (diagnosis.exit_code, set(diagnosis.causes("wrong")))
    assert "a-password-of-redis" not in diagnosis.printed


def test_the_key_of_callers_is_taken_from_the_settings(well: Stack) -> None:
    """The same variables that the server has."""
    callers = {"TOKEN_AUTH": "key", "TOKEN_KEYS": "first-key,second-key"}
    diagnosis = well.with_web(**callers).diagnose(**callers)
    other = well.diagnose(TOKEN_AUTH="key", TOKEN_KEYS="old-key")

    assert (0, []) == (diagnosis.exit_code, diagnosis.causes())
    assert (1, ["server-refuses"]) == (other.exit_code, other.causes())


def test_hashed_keys_need_one_that_is_shown(well: Stack) -> None:
    """The doctor cannot guess; it says what to add."""
    callers = {"TOKEN_AUTH": "key", "TOKEN_KEYS": HASH_OF_SECRET_KEY}
    without = well.with_web(**callers).diagnose(**callers)
    shown = well.diagnose("--login", "secret-key", **callers)

    assert (2, ["login-needed"]) == (without.exit_code, without.causes())
    assert (0, []) == (shown.exit_code, shown.causes())


def test_a_login_token_is_shown_to_a_server_that_wants_one(well: Stack) -> None:
    """With TOKEN_AUTH=jwt only a person who has logged in can be probed for."""
    with Issuer() as issuer:
        callers = {
            "TOKEN_AUTH": "jwt",
            "TOKEN_JWT_ISSUER": issuer.url,
            "TOKEN_JWT_AUDIENCE": "my-app",
        }
        without = well.with_web(**callers).diagnose(**callers)
        shown = well.diagnose("--login", issuer.sign(), **callers)

    assert (2, ["login-needed"]) == (without.exit_code, without.causes())
    assert (0, []) == (shown.exit_code, shown.causes())


def test_a_room_that_serves_one_caller_after_another_is_named(well: Stack) -> None:
    """A room name that is written into the frontend: the next caller gets the last one's room."""
    with Humans() as humans:
        humans.join(well.livekit.url, well.with_web().token("lobby"))
        humans.leave()
        wait_until(lambda: well.seconds_empty("lobby") > 3, within=10, what="no mere reload")
        humans.join(well.livekit.url, well.token("lobby"))
        diagnosis = well.diagnose()
        meant = well.diagnose(ROOM_NAMES="lobby,*")

    assert (1, ["room-names-reused"]) == (diagnosis.exit_code, diagnosis.causes())
    assert "lobby: once somebody came" in diagnosis.text("room-names-reused")
    assert (0, []) == (meant.exit_code, meant.causes())


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
        # Without them all works, slower; nobody sees why.
        pytest.param("no-webhooks", "/webhook", [Post.LOST], id="never-came"),
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
    if cause == "no-webhooks":
        assert f"add {stack.web_url}/webhook" in diagnosis.text(cause)


def test_webhooks_signed_with_a_key_we_do_not_know_are_named(tmp_path: Path) -> None:
    """A project has several keys, and the dashboard chooses one for webhooks."""
    livekit = TWO_KEYS | {"webhook": {"api_key": OTHER_KEY}}
    with Stack(tmp_path, livekit=livekit) as stack:
        diagnosis = stack.with_web().diagnose()

    assert (1, {"webhook-key", "no-worker"}) == (diagnosis.exit_code, set(diagnosis.causes()))
    assert API_KEY not in diagnosis.printed


def test_an_address_that_frontends_cannot_join_at_is_named(well: Stack) -> None:
    """LIVEKIT_URL is what the server reaches, and also what browsers are sent to."""
    with DateProxy(well.livekit.url, 0) as for_calls_only:
        diagnosis = well.with_web(LIVEKIT_URL=for_calls_only.url).diagnose()

    assert (1, ["join-failed"]) == (diagnosis.exit_code, diagnosis.causes("wrong")[:1])
    assert for_calls_only.url in diagnosis.text("join-failed")


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


def test_a_public_address_of_something_else_is_named(well: Stack) -> None:
    """The token server's own, say; all else is well, and only frontends see it."""
    wrong = {"LIVEKIT_PUBLIC_URL": well.web_url}
    diagnosis = well.with_web(**wrong).diagnose(**wrong)

    assert (1, ["public-url"]) == (diagnosis.exit_code, diagnosis.causes("wrong")[:1])
    assert "Set LIVEKIT_PUBLIC_URL" in diagnosis.text("public-url")


def test_a_rate_limit_is_no_verdict(well: Stack) -> None:
    """The doctor has to come again."""
    well.with_web(RATE_LIMIT="1/day").token("spent")
    diagnosis = well.diagnose()

    assert (2, ["rate-limited"]) == (diagnosis.exit_code, diagnosis.causes())


def test_a_room_that_ends_before_its_token_is_named(tmp_path: Path) -> None:
    """LiveKit answers a good token with 404 then, and nobody looks for a time-out."""
    with Stack(tmp_path, livekit={"room": {"auto_create": False}}) as stack:
        diagnosis = stack.with_web(ROOM_EMPTY_TIMEOUT_SECONDS="5").diagnose()

    assert (1, "room-ends-first") == (diagnosis.exit_code, diagnosis.causes("wrong")[0])
    cure = diagnosis.text("room-ends-first").splitlines()[-1]
    assert "ROOM_EMPTY_TIMEOUT_SECONDS=600 and ROOM_DEPARTURE_TIMEOUT_SECONDS=600" in cure


def test_media_that_cannot_pass_is_named(tmp_path: Path) -> None:
    """Signalling works through every proxy; UDP does not."""
    with Stack(tmp_path, livekit={"rtc": {"interfaces": {"includes": ["none0"]}}}) as stack:
        diagnosis = stack.with_web().diagnose()

    assert (1, ["media-blocked"]) == (diagnosis.exit_code, diagnosis.causes())
