"""What an agent's answers to the doctor add up to."""

import pytest

from shared_settings.agent_signs import ALIVE_METHOD
from token_server.cli.doctor.hung_agent import Hang, SignsOfLife
from token_server.keeper.agent_life import TRANSPORT_METHOD
from token_server.livekit.port import RpcOutcome

_ANSWER_WITHIN = 0.8  # seconds, of LiveKit's for a silence
SILENT, UNSUPPORTED = RpcOutcome.SILENT, RpcOutcome.UNSUPPORTED
_STANDS = {ALIVE_METHOD: SILENT, TRANSPORT_METHOD: UNSUPPORTED}
_FROZEN = {ALIVE_METHOD: SILENT, TRANSPORT_METHOD: SILENT}


def asked(life: SignsOfLife, seconds: float, answers: dict[str, RpcOutcome]) -> Hang | None:
    """Ask an agent for so long, one question after the other."""
    now = 0.0
    while now < seconds and not life.hang:
        method, asked_at = life.method, now
        now += _ANSWER_WITHIN if answers[method] is SILENT else 0.1
        life.note(method, answers[method], asked_at, now)
    return life.hang


@pytest.mark.parametrize(
    ("answers", "seconds", "hang"),
    [
        pytest.param(_FROZEN, 0.5, None, id="one silence proves nothing"),
        pytest.param(_FROZEN, 1.0, Hang.FROZEN, id="frozen"),
        pytest.param(_STANDS, 2.0, None, id="a model is loaded"),
        pytest.param(_STANDS, 4.0, Hang.BLOCKED, id="its event loop stands still"),
        pytest.param({ALIVE_METHOD: RpcOutcome.ANSWERED}, 4.0, None, id="well"),
        pytest.param({ALIVE_METHOD: UNSUPPORTED}, 4.0, None, id="an agent of another project"),
        pytest.param({ALIVE_METHOD: RpcOutcome.UNKNOWN}, 4.0, None, id="not up yet"),
        pytest.param({ALIVE_METHOD: RpcOutcome.UNANSWERED}, 4.0, None, id="gone"),
    ],
)
def test_frozen_and_blocked_are_told_apart_and_nothing_else_is_a_hang(
    answers: dict[str, RpcOutcome], seconds: float, hang: Hang | None
) -> None:
    """A wrong word sends somebody to look at a well process."""
    assert hang is asked(SignsOfLife(), seconds, answers)


def test_an_answer_ends_the_doubt() -> None:
    """What blocked for a moment is well."""
    life = SignsOfLife()
    asked(life, 2.0, _STANDS)
    was_in_doubt = life.is_in_doubt
    while life.method == TRANSPORT_METHOD:
        life.note(life.method, UNSUPPORTED, 2.0, 2.1)

    life.note(life.method, RpcOutcome.ANSWERED, 2.1, 2.2)

    assert (True, False, None) == (was_in_doubt, life.is_in_doubt, asked(life, 2.0, _STANDS))
