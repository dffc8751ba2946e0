"""What `make bench` makes of the simulated rooms."""

from math import inf

import pytest

from bench.figures import Row, Section, number
from bench.pages import with_tables
from bench.simulated.measure import Step, Use
from bench.simulated.outlook import Measured, Need, need
from bench.simulated.shares import Shares
from bench.simulated.table import to_grown, to_replaced, to_shared


def test_what_more_rooms_need_grows_as_it_was_measured() -> None:
    """Each process lists all rooms; everything else is shared among them."""
    measured = Measured(
        rooms=5_000,
        processes=2,
        cores=0.8,
        memory_mib=300,
        memory_mib_empty=100,
        calls={"ListRooms": 0.4, "ListParticipants": 200, "PerformRpc": 600},
        redis_per_process=5,
        redis_per_look=2,
        seconds=15,
    )

    assert Need(
        rooms=100_000,
        processes=40,
        cores=16,
        memory_mib=6_000,
        calls_per_second=16_008,
        redis_commands=8_200,
        seconds=15,
    ) == need(100_000, measured)


def test_a_table_in_another_page_is_replaced_and_nothing_else() -> None:
    """Figures in a page go stale unless something writes them."""
    page = "before\n<!-- bench: outlook -->\nold\n<!-- end of bench -->\nafter\n"
    section = Section(
        key="outlook",
        title="t",
        how="h",
        columns=("s",),
        rows=(Row(what="5 rooms", cells=(number(7),)),),
    )

    written = with_tables(page, [section])

    assert written.startswith("before\n<!-- bench: outlook -->\n\n|  | s |\n")
    assert written.endswith("| 5 rooms | 7 |\n\n<!-- end of bench -->\nafter\n")
    assert written == with_tables(written, [section])
    assert page == with_tables(page, [])


def step(rooms: int, *gone: float, cpu: float = 80.0) -> Step:
    """Return what so many rooms cost."""
    calls = {"ListParticipants": 50.0, "PerformRpc": 100.0, "ListRooms": 0.2}
    use = Use(cpu_percent=cpu, memory_mib=100 + rooms / 100, calls=calls, livekit_percent=5.0)
    return Step(rooms=rooms, use=use, gone=gone, killed=gone, unattended=0, most_agents=1)


def test_each_number_of_rooms_is_held_to_its_own_bar() -> None:
    """5,000 rooms within 20 s and one core, 1,000 within 6 s."""
    section = to_replaced(
        [step(100, 3.0), step(1_000, 5.0, 7.0), step(5_000, 9.0, 12.0, cpu=140.0)], 2, 10.0
    )

    held = {row.what: row.held.holds for row in section.rows if row.held}
    assert {
        "1,000 rooms, gone": False,
        "5,000 rooms, gone": True,
        "5,000 rooms, CPU": False,
    } == held
    assert "10.2 KiB" in [cell.text for cell in section.rows[-1].cells]


@pytest.mark.parametrize(
    ("looked", "taken_over", "holds"),
    [((450, 550), 4.0, [True, True]), ((1_000, 0), inf, [False, False])],
)
def test_shares_are_held_to_both_bars(
    looked: tuple[int, int], taken_over: float, holds: list[bool]
) -> None:
    """Half of the rooms each, and all of them soon after the other has died."""
    shares = Shares(
        rooms=1_000,
        looked=looked,
        use=step(1_000).use,
        redis_commands=120.0,
        redis_commands_idle=20.0,
        taken_over=taken_over,
    )

    assert holds == [row.held.holds for row in to_shared(shares).rows if row.held]
    assert (5.0, 2.0) == (shares.redis_per_process, shares.redis_per_look)
    assert "100,000 rooms, calculated" == to_grown([step(5_000, 1.0)], shares).rows[-1].what
