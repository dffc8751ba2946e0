from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import START
from token_server.keeper.failures import (
    FAILURES_ATTRIBUTE,
    NO_FAILURES,
    Failures,
    failures_of,
    fewest_failures,
)
from token_server.livekit.port import Participant, ParticipantKind

SHORTLY = timedelta(seconds=2.5)


def human(attributes: dict[str, str]) -> Participant:
    """Somebody who waits."""
    return Participant(
        participant_identity="alice",
        participant_sid="PA_1",
        kind=ParticipantKind.HUMAN,
        joined_at=START,
        attributes=attributes,
    )


def test_the_pauses_grow_up_to_a_minute() -> None:
    """The first failure may be an accident; the tenth is a loop."""
    failures, pauses = NO_FAILURES, []
    for _ in range(10):
        failures = failures.and_another(START, SHORTLY)
        pauses.append((failures.next_at or START) - START)

    assert [0, 1, 2, 4, 8, 16, 32, 60, 60, 60] == [pause.total_seconds() for pause in pauses]


def test_an_agent_that_was_there_for_long_did_not_fail_as_it_came() -> None:
    """A crash after an hour is no loop, whatever was before."""
    looping = Failures(in_a_row=7, last_at=START)

    assert 1 == looping.and_another(START, timedelta(hours=1)).in_a_row


@given(st.integers(1, 1000), st.integers(0, 10**6))
def test_what_is_written_is_read_again(in_a_row: int, seconds: int) -> None:
    """Any process, of any machine, goes on with the count."""
    then = START + timedelta(seconds=seconds)
    failures = Failures(in_a_row=in_a_row, last_at=then)

    assert failures == failures_of({FAILURES_ATTRIBUTE: failures.to_attribute()}, then)


@pytest.mark.parametrize(
    "text",
    ["", "3", "x 1", "3 x", "-1 1", "3 99999999999999999999999", "3 4102444800000", "0 1"],
)
def test_what_makes_no_sense_is_no_failure(text: str) -> None:
    """A client may be allowed to write its attributes: the worst is an agent that comes soon."""
    assert NO_FAILURES == failures_of({FAILURES_ATTRIBUTE: text}, START)


def test_another_human_starts_anew() -> None:
    """They have seen no agent fail."""
    looping = Failures(in_a_row=7, last_at=START).to_attribute()
    waiting = [human({FAILURES_ATTRIBUTE: looping}), human({})]

    assert NO_FAILURES == fewest_failures(waiting, START)
