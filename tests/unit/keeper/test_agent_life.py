"""When an agent is dead, and when nobody knows."""

import pytest

from shared_settings.agent_signs import ALIVE_METHOD
from token_server.keeper.agent_life import (
    TRANSPORT_METHOD,
    AgentLife,
    Death,
    LifeLimits,
)
from token_server.livekit.port import RpcOutcome

LIMITS = LifeLimits(silent=2.0, blocked=5.0)
LIVES, FOREIGN, SILENT = RpcOutcome.ANSWERED, RpcOutcome.UNSUPPORTED, RpcOutcome.SILENT
UNANSWERED, UNKNOWN = RpcOutcome.UNANSWERED, RpcOutcome.UNKNOWN


def life(*answers: tuple[float, RpcOutcome]) -> AgentLife:
    """An agent that was asked from 0 on what it says is next, and answered so at these times.

    A question is without an answer after 0.8 s.
    """
    found = AgentLife(asked_since=0.0)
    for at, outcome in answers:
        found.note(found.method, outcome, at, 0.8 if outcome is SILENT else 0.0)
    return found


@pytest.mark.parametrize("first", [LIVES, FOREIGN])
def test_two_questions_without_an_answer_and_two_seconds_are_death(first: RpcOutcome) -> None:
    """With code of ours or without; a killed process and a frozen one look the same."""
    asked = life((0.0, first), (1.8, SILENT), (2.6, SILENT))

    assert Death.SILENT == asked.death(LIMITS, 2.6)


@pytest.mark.parametrize(
    ("answers", "now"),
    [
        pytest.param([(0.0, LIVES), (5.0, SILENT)], 9.0, id="one lost question"),
        pytest.param([(0.0, LIVES), (0.8, SILENT), (1.6, SILENT)], 1.9, id="not for long enough"),
        pytest.param([(0.0, LIVES), (15.3, SILENT), (15.4, SILENT)], 15.4, id="not asked for long"),
        pytest.param([(0.0, SILENT), (0.8, SILENT), (1.6, SILENT)], 5.9, id="coming up"),
        pytest.param([(0.0, LIVES), *[(t, UNKNOWN) for t in (1, 2, 3, 30)]], 30, id="not known"),
        pytest.param([(0.0, LIVES), *[(t, UNANSWERED) for t in range(1, 9)]], 9, id="LiveKit"),
        pytest.param([(0.0, LIVES), (1.0, SILENT), (1.8, SILENT), (2.6, FOREIGN)], 3, id="back"),
        pytest.param([(0.0, FOREIGN)], 99, id="not asked since"),
    ],
)
def test_what_is_not_known_is_no_death(answers: list[tuple[float, RpcOutcome]], now: float) -> None:
    """An agent that is put out though it lives is worse than one that is believed for longer."""
    assert life(*answers).death(LIMITS, now) is None


def test_an_agent_that_has_never_answered_is_dead_after_a_while() -> None:
    """It froze before it was first heard."""
    asked = life((0.8, SILENT), (1.6, SILENT))

    assert (None, Death.SILENT) == (asked.death(LIMITS, 5.9), asked.death(LIMITS, 6.0))


def test_an_agent_that_only_the_list_knows_is_gone() -> None:
    """A crashed node leaves its participants in LiveKit's Redis for ever."""
    asked = life(*[(float(t), UNANSWERED) for t in range(11)])

    assert (None, Death.GONE) == (asked.death(LIMITS, 9.9), asked.death(LIMITS, 10.0))


def test_a_silent_event_loop_is_told_from_a_silent_process() -> None:
    """The transport answers by itself, so it is asked next."""
    asked = life((0.0, LIVES), (1.8, SILENT))
    next_method = asked.method
    asked.note(next_method, FOREIGN, 1.9)

    assert (TRANSPORT_METHOD, ALIVE_METHOD) == (next_method, asked.method)
    assert (1.9, 0.0) == (asked.heard_at, asked.loop_heard_at)


def test_an_event_loop_that_stands_still_has_a_limit_of_its_own() -> None:
    """Tools and model loads block for a second or two."""
    asked = life(
        (0.0, LIVES), (1.8, SILENT), (1.9, FOREIGN), (3.1, SILENT), (3.2, FOREIGN), (4.4, SILENT)
    )

    assert (None, Death.BLOCKED) == (asked.death(LIMITS, 4.4), asked.death(LIMITS, 5.0))
    assert asked.last_sign(Death.BLOCKED) == 0.0


def test_an_event_loop_that_was_not_asked_for_long_is_not_blocked() -> None:
    """Where there are many agents, each is asked more seldom."""
    asked = life((0.0, LIVES), (15.8, SILENT), (15.9, FOREIGN), (17.1, SILENT))

    assert (None, Death.BLOCKED) == (asked.death(LIMITS, 18.9), asked.death(LIMITS, 19.0))


def test_an_event_loop_that_goes_on_is_alive() -> None:
    """Three seconds of model loading."""
    asked = life((0.0, LIVES), (1.8, SILENT), (1.9, FOREIGN), (3.1, SILENT), (3.2, LIVES))

    assert (None, False) == (asked.death(LIMITS, 99.0), asked.is_in_doubt)


def test_each_limit_can_be_off() -> None:
    """0 = nobody is found dead so."""
    frozen = life((0.0, LIVES), (1.8, SILENT), (2.6, SILENT), (3.4, SILENT))
    off, no_silence = LifeLimits(silent=0, blocked=0), LifeLimits(silent=0, blocked=5)

    assert (None, None) == (frozen.death(off, 99), frozen.death(no_silence, 4.9))
    assert Death.BLOCKED == frozen.death(no_silence, 5.0)
    assert (True, False) == (off.are_off, no_silence.are_off)


def test_an_agent_on_a_machine_under_load_gets_more_time() -> None:
    """Its last answers took long: that the next is late too is no sign of death."""
    slow, quick = life((0.0, LIVES)), life((0.0, LIVES))
    slow.note(ALIVE_METHOD, LIVES, 1.0, took=0.4)
    quick.note(ALIVE_METHOD, LIVES, 1.0, took=0.01)
    for asked in (slow, quick):
        for at in (2.6, 3.4):
            asked.note(asked.method, SILENT, at, took=0.8)

    assert (None, Death.SILENT) == (slow.death(LIMITS, 8.9), quick.death(LIMITS, 3.4))
    assert Death.SILENT == slow.death(LIMITS, 9.0)


def test_load_that_is_over_is_forgotten() -> None:
    """After a few quick answers."""
    asked = life((0.0, LIVES))
    asked.note(ALIVE_METHOD, LIVES, 1.0, took=0.4)
    for at in (2.0, 3.0):
        asked.note(ALIVE_METHOD, LIVES, at, took=0.01)
    for at in (4.8, 5.6):
        asked.note(asked.method, SILENT, at, took=0.8)

    assert Death.SILENT == asked.death(LIMITS, 5.6)
