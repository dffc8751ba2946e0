"""`token-server doctor` on a stack where all is well, and with wrong settings of its own."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import API_KEY, API_SECRET, free_port, wait_until
from tests.system.deployment import Deployment
from tests.system.doctor_stage import BorrowedStack, Stack
from token_server.cli.doctor.probing import ProbedLiveKit
from token_server.livekit.twirp import Twirp

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def healthy(
    shared_deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """As deployed, and with a frontend elsewhere."""
    with BorrowedStack(shared_deployment, tmp_path_factory.mktemp("healthy")) as stack:
        yield stack.with_web(CORS_ORIGINS="https://app.example")


def test_a_healthy_stack_is_all_green(healthy: Stack) -> None:
    """A doctor that finds something in everybody is not asked again."""

    def is_all_green() -> bool:
        diagnosis = healthy.diagnose("--origin", "https://app.example")
        assert (0, "ok") == (diagnosis.exit_code, diagnosis.content["finding"]), diagnosis.printed
        # What a loaded machine is too slow to tell is skipped.
        return {"ok"} == {check["finding"] for check in diagnosis.content["checks"]}

    wait_until(is_all_green, within=30, what="everything is known, and good")


def test_the_agent_s_arrival_is_timed_step_by_step(healthy: Stack) -> None:
    """Where the second went is the next question."""

    def timed() -> list[dict[str, Any]]:
        # A loaded machine may connect the human's audio when the greeting is over.
        timeline: list[dict[str, Any]] = healthy.diagnose().content["timeline"]
        return timeline if timeline[-1]["step"] == "first sound" else []

    timeline = wait_until(timed, within=20, what="the greeting is heard")

    steps = [step["step"] for step in timeline]
    assert {
        "room ready",
        "token",
        "connected",
        "webhook seen",
        "dispatched",
        "job taken",
        "agent in the room",
        "agent's audio track",
        "first sound",
    } == set(steps)
    assert ["room ready", "token"] == steps[:2]
    assert [0 <= step["seconds"] < 8 for step in timeline] == [True] * len(timeline)


def test_people_read_lines_without_colours_in_a_file(healthy: Stack) -> None:
    """A report is pasted into an issue."""
    printed, errors = healthy.start_doctor().communicate(timeout=30)

    assert "" == errors
    assert "  ✓ agent         `voice-agent` is there " in printed
    assert "All well." in printed
    assert "\033" not in printed


def test_all_that_is_missing_or_malformed_is_named_at_once(healthy: Stack) -> None:
    """One at a time means as many runs as mistakes."""
    diagnosis = healthy.diagnose(
        LIVEKIT_URL="wss://livekit.example//room", LIVEKIT_API_KEY="", TOKEN_AUTH="", PORT="a"
    )

    text = diagnosis.text("settings")
    assert (1, ["settings"]) == (diagnosis.exit_code, diagnosis.causes())
    assert "LIVEKIT_URL must be scheme, host, port and a plain path only" in text
    assert [True] * 3 == [name in text for name in ("LIVEKIT_API_KEY", "TOKEN_AUTH", "PORT")]


def test_a_proxy_that_is_down_is_named(healthy: Stack) -> None:
    """LiveKit is well, and nobody gets there."""
    proxy = f"http://user:MaRkEr@127.0.0.1:{free_port()}"
    diagnosis = healthy.diagnose(LIVEKIT_URL="wss://livekit.example", HTTPS_PROXY=proxy)

    assert (1, ["proxy"]) == (diagnosis.exit_code, diagnosis.causes())
    assert "Set HTTPS_PROXY for this command" in diagnosis.text("proxy")
    assert "MaRkEr" not in diagnosis.printed


def test_what_needs_no_proxy_is_asked_straight(healthy: Stack) -> None:
    """This machine never does; LiveKit's own client would go through it all the same."""
    down = f"http://127.0.0.1:{free_port()}"

    assert 0 == healthy.diagnose(HTTP_PROXY=down, http_proxy=down, HTTPS_PROXY=down).exit_code


def test_a_redis_that_only_the_doctor_misses_is_no_verdict(healthy: Stack) -> None:
    """The server may run without, or reach what this machine cannot."""
    diagnosis = healthy.diagnose(REDIS_URL=f"redis://127.0.0.1:{free_port()}")

    assert (2, ["redis"]) == (diagnosis.exit_code, diagnosis.causes())


def test_without_the_operator_s_key_the_server_s_machine_tells_of_webhooks(
    healthy: Stack,
) -> None:
    """Most who try it have none."""
    assert 0 == healthy.diagnose(OPERATOR_KEY="").exit_code


def test_from_another_machine_the_operator_s_key_times_the_webhook(
    healthy: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The server counts them for whoever may ask."""
    elsewhere = str(tmp_path_factory.mktemp("elsewhere"))
    timeline = healthy.diagnose(TMPDIR=elsewhere).content["timeline"]

    assert "webhook seen" in [step["step"] for step in timeline]


def test_a_caller_needs_no_secret_of_the_server_s(healthy: Stack) -> None:
    """From a customer's machine, where nobody has it; LiveKit's API is not asked."""
    nothing = {"LIVEKIT_URL": "", "LIVEKIT_API_KEY": "", "LIVEKIT_API_SECRET": ""}
    # With the web's PORT it would ask whether a `make dev` is meant.
    more = {"TOKEN_AUTH": "", "OPERATOR_KEY": "", "PORT": ""}
    doctor = healthy.start_doctor("--json", "--url", healthy.web_url, **nothing, **more)
    printed, _ = doctor.communicate(timeout=60)
    for name in healthy.room_names():
        if name.startswith("doctor-"):
            ProbedLiveKit(Twirp(healthy.livekit.url, API_KEY, API_SECRET)).clear(name)

    checks = {check["name"]: check["finding"] for check in json.loads(printed)["checks"]}
    wanted = dict.fromkeys(("token server", "ready", "token", "lifetime", "join", "agent"), "ok")
    assert (0, {"settings": "skipped"} | wanted | {"audio": "ok"}) == (doctor.returncode, checks)


def test_ctrl_c_leaves_no_room(tmp_path: Path) -> None:
    """An impatient person is no reason for a room that nobody ends."""
    with Stack(tmp_path) as stack:  # without a worker: the doctor waits, and is not done before
        doctor = stack.with_web().start_doctor()
        wait_until(
            lambda: any(stack.is_visited(name) for name in stack.room_names()),
            within=20,
            what="the doctor is in its room",
        )

        doctor.send_signal(signal.SIGINT)
        doctor.communicate(timeout=10)

        assert 130 == doctor.returncode
        assert not [name for name in stack.room_names() if name.startswith("doctor-")]
