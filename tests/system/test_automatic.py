"""AGENT_DISPATCH=automatic, LiveKit's own way: a worker without a name, for every room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.deployment import Deployment
from tests.system.doctor_stage import BorrowedStack

pytestmark = pytest.mark.live

AUTOMATIC = {"AGENT_DISPATCH": "automatic"}


@pytest.fixture(scope="module")
def nameless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment whose worker has no name."""
    settings = AUTOMATIC | {"LIVEKIT_AGENT_NAME": ""}
    with Deployment(tmp_path_factory.mktemp("deployment"), settings) as running:
        yield running.with_worker()


def test_a_reload_gets_its_agent(nameless: Deployment, room_name: str) -> None:
    """LiveKit sends the unnamed worker once, the keeper repairs."""
    running = nameless.with_web()
    human = running.join(room_name)
    running.wait_for_one_agent(room_name, agent_name="")
    human.leave()
    running.wait_for_no_agent(room_name)

    running.join(room_name)

    running.wait_for_one_agent(room_name, agent_name="")


def test_a_worker_without_a_name_is_named_unless_it_is_to_have_none(
    nameless: Deployment, tmp_path: Path
) -> None:
    """livekit-agents' own default: automatic dispatch, which a name in the token turns off."""
    with BorrowedStack(nameless, tmp_path) as stack:
        diagnosis = stack.with_web().diagnose()
        meant = stack.with_web(**AUTOMATIC).diagnose(**AUTOMATIC)

    assert (1, ["worker-without-name"]) == (diagnosis.exit_code, diagnosis.causes())
    assert (0, []) == (meant.exit_code, meant.causes())
