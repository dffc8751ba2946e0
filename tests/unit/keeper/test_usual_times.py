"""When a dispatch is late: learnt from the joins that went well."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes import START
from token_server.keeper.attendance import Attendance, CreateDispatch, DeleteDispatch, Settled, Wait
from token_server.keeper.decisions import UNANSWERED
from token_server.keeper.hedging import Hedging
from token_server.keeper.usual_times import UsualTimes
from token_server.livekit.port import AgentOrder, Dispatch, Participant, ParticipantKind

ORDER = AgentOrder(agent_name="voice-agent")


def at(seconds: float) -> timedelta:
    """So long after the start."""
    return timedelta(seconds=seconds)


def seen(now: float, *created: float) -> Attendance:
    """A human waits since the start, and dispatches of these times stand."""
    dispatches = tuple(
        Dispatch(dispatch_id=f"AD_{each}", agent_name="voice-agent", created_at=START + at(each))
        for each in created
    )
    return Attendance(now=START + at(now), order=ORDER, waiting_since=START, dispatches=dispatches)


def join(times: UsualTimes, seconds: float, *created: float, room_name: str = "room") -> None:
    """Let a human wait for so long, while dispatches of these times come to stand."""
    first = seen(0, *created[:1])
    times.looked(room_name, [(Wait(START + at(1)), first)])
    for number in range(1, len(created)):
        waiting = seen(created[number], *created[:number])
        times.looked(room_name, [(CreateDispatch(ORDER, "late"), waiting)])
    agent = Participant(
        participant_identity="agent",
        participant_sid="PA",
        kind=ParticipantKind.AGENT,
        joined_at=START + at(seconds),
    )
    settled = replace(seen(seconds), agents=(agent,))
    times.looked(room_name, [(Settled(is_attended=True), settled)])


def hedging(times: UsualTimes, now: float = 10) -> Hedging:
    """What it says for the name now."""
    return times.hedging("voice-agent", START + at(now))


@pytest.mark.parametrize(
    ("seconds", "after"),
    [
        pytest.param(0.3, 0.8, id="no sooner than that"),
        pytest.param(1.0, 2.0, id="twice as long as it took"),
        pytest.param(9.0, 4.0, id="no later than that"),
    ],
)
def test_twice_the_usual_time_is_late(seconds: float, after: float) -> None:
    """Each kind of agent takes its own time to come."""
    times = UsualTimes()

    join(times, seconds, 0.0)

    assert at(after) == hedging(times).after


def test_one_slow_join_in_twenty_teaches_little() -> None:
    """A cold start is no reason to leave everybody else waiting."""
    times = UsualTimes()
    for seconds in [0.5] * 19 + [30.0]:
        join(times, seconds, 0.0)

    assert at(1.0) == hedging(times).after


def test_nothing_is_learnt_from_faults() -> None:
    """Where two were sent, nobody knows how long one takes."""
    times = UsualTimes()
    before = hedging(times)

    join(times, 3.0, 0.0, 1.5)

    assert before.after == hedging(times).after


def test_a_dispatch_that_lapsed_lets_more_stand_for_a_minute() -> None:
    """Somewhere a worker is frozen: the next offer may be its own again."""
    times = UsualTimes()
    join(times, 2.0, 0.0, 1.5)

    found = [hedging(times, now).most for now in (3.0, 61.9, 62.1)]

    assert [4, 4, 2] == found


def test_a_dispatch_that_nobody_took_where_agents_have_come_lets_more_stand() -> None:
    """So it is known before the human of that wait has anybody."""
    times = UsualTimes()
    gone = DeleteDispatch("AD_0.0", UNANSWERED)
    times.looked("room", [(gone, seen(6.0, 0.0))])
    nobody_ever_came = hedging(times).most
    join(times, 0.5, 0.0, room_name="another")
    times.looked("room", [(gone, seen(6.0, 0.0))])

    assert (2, 4) == (nobody_ever_came, hedging(times).most)


def test_a_second_dispatch_that_was_not_needed_tells_of_no_frozen_worker() -> None:
    """The first one came after all."""
    times = UsualTimes()
    join(times, 1.2, 0.0, 1.5)

    assert 2 == hedging(times).most


def test_whether_another_one_may_be_on_its_way_is_known_until_the_agent_is_there() -> None:
    """Then it is to be taken back."""
    times = UsualTimes()
    times.looked("room", [(CreateDispatch(ORDER, "late"), seen(1.5, 0.0))])
    while_waiting = times.has_hedged("room", "voice-agent")
    join(times, 2.0, 0.0, 1.5)

    assert (True, False) == (while_waiting, times.has_hedged("room", "voice-agent"))
