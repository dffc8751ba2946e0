"""What the table of silences says of what humans heard, and in which process an agent lives."""

import math

import pytest

from bench.figures import Section
from bench.silence.agent_processes import agent_process
from bench.silence.faults import Fault
from bench.silence.measure import completed
from bench.silence.outcomes import Found, Silences, Thaw, Thaws, to_cell
from bench.silence.table import to_sections
from bench.silence.ways import OURS, WAYS


def silences(*each: float | None) -> Silences:
    """Calls, each with the seconds until somebody was heard again."""
    return Silences(each, patience=40)


def thaw(*, old_heard: bool = False, old_there: bool = False, others: int = 1) -> Thaw:
    """What was seen after a thaw; whoever else is there was heard."""
    return Thaw(
        is_old_heard=old_heard,
        is_old_there=old_there,
        others=others,
        is_other_heard=others > 0,
    )


def bars(by_fault: dict[Fault, Found]) -> Section:
    """The bars of ours."""
    return to_sections({OURS: by_fault}, rounds=5, patience=40)[1]


@pytest.mark.parametrize(
    ("fault", "found", "text"),
    [
        (Fault.AGENT_KILLED, silences(0.9, 1.0, 2.0), "1.00 s, 2.00 s"),
        (Fault.AGENT_KILLED, silences(0.9, 1.0, None), "1.00 s, none in 40 s"),
        (Fault.AGENT_KILLED, silences(None, None), "none in 40 s"),
        (Fault.TEN_KILLED, silences(1.0, 1.0, 1.0), "1.00 s, p95 1.00 s"),
        (
            Fault.HALF_FROZEN,
            silences(0.5, 0.6, 0.7, None),
            "0.65 s, 75% within 3 s, none in 40 s",
        ),
    ],
    ids=["all heard", "one not", "none", "ten calls", "joins"],
)
def test_whoever_heard_nobody_is_shown(fault: Fault, found: Silences, text: str) -> None:
    """A median of those who were lucky says nothing of the others."""
    assert text == to_cell(fault, found).text


def test_one_silence_without_end_misses_the_bars_of_ten_calls() -> None:
    """Nine quick agents are no excuse for a human who is left alone."""
    (row,) = bars({Fault.TEN_KILLED: silences(*[1.0] * 9, None)}).rows

    assert row.held is not None
    assert (math.inf, False) == (row.held.value, row.held.holds)


def test_joins_beside_a_frozen_worker_have_three_bars() -> None:
    """A quick median hides that every fourth human waits, and that one waits for long."""
    rows = bars({Fault.HALF_FROZEN: silences(1.0, 1.0, 1.0, 7.0)}).rows

    assert [(1.0, True), (7.0, True), (75.0, False)] == [
        (row.held.value, row.held.holds) for row in rows if row.held
    ]


def test_a_thaw_is_well_only_with_the_next_agent_alone() -> None:
    """Two voices in one call are worse than none."""
    found = Thaws(
        (
            thaw(),
            thaw(old_heard=True),
            thaw(old_there=True),
            thaw(others=2),
            thaw(others=0, old_there=True, old_heard=True),
            thaw(others=0),
        )
    )

    text = to_cell(Fault.THAWED_10, found).text

    assert "17%, 3 two agents, 1 the old agent goes on, 1 no agent" == text


def test_what_was_not_measured_is_marked() -> None:
    """An empty cell looks as if somebody had forgotten it."""
    table = to_sections({OURS: {Fault.AGENT_KILLED: silences(1.0)}}, rounds=1, patience=40)[0]

    assert ["1.00 s, 1.00 s", "n/a"] == [row.cells[0].text for row in table.rows[:2]]


def test_ten_calls_stand_for_one_only_where_no_other_agent_comes() -> None:
    """Ten agents that come at once are slower than one."""
    ten: dict[Fault, Found] = {Fault.TEN_KILLED: silences(None)}
    found = {way.replaces: completed(way, ten) for way in WAYS}

    assert (False, True) == tuple(
        Fault.WORKER_KILLED in found[replaces] for replaces in (True, False)
    )


@pytest.mark.parametrize(
    "line",
    [
        "INFO agent.job in the room metadata_bytes=0 room=bench-1 job_id=AJ_1 pid=123",
        '{"message": "in the room", "room": "bench-1", "pid": 123, "job_id": "AJ_1"}',
        "in the room bench-1 pid=123",
    ],
    ids=["ours", "livekit-agents", "agents-js"],
)
def test_an_agents_process_is_found_in_its_workers_log(line: str) -> None:
    """Whoever strikes another room's agent measures nothing."""
    output = "\n".join((line.replace("bench-1", "bench-10").replace("123", "9"), line))

    assert (123, 9, None) == tuple(
        agent_process(output, room) for room in ("bench-1", "bench-10", "bench-2")
    )
