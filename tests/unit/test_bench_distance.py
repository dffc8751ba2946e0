"""What the distance of the benchmarks does to packets, and what its bars say."""

from bench.distance.held_packets import HeldPackets, Journey
from bench.distance.table import LIVEKITS_OWN, OURS, Place, to_sections


def test_a_packet_comes_out_after_half_a_round_trip_and_in_order() -> None:
    """Packets that overtook each other would make every client resend."""
    held = HeldPackets(Journey(round_trip_ms=60))
    for number in range(3):
        held.take(bytes([number]), to=7, now=10.0 + number / 1000)

    assert [] == list(held.arrived(10.029))
    assert [(7, b"\0"), (7, b"\1")] == list(held.arrived(10.0315))
    assert 0.0005 == round(held.seconds_left(10.0315) or 0, 6)
    assert [(7, b"\2")] == list(held.arrived(11.0))
    assert held.seconds_left(11.0) is None


def test_so_many_packets_are_lost_each_way_as_is_said() -> None:
    """Another share than the table's would be another network."""
    held = HeldPackets(Journey(round_trip_ms=0, lost_percent=2))
    for _ in range(10_000):
        held.take(b"", to=7, now=0.0)

    assert 9_750 < len(list(held.arrived(0.0))) < 9_850


def test_a_join_without_an_agent_misses_the_bar_of_the_tenth_that_is_slowest() -> None:
    """A join that failed must not make the others look quick."""
    far = Place(journey=Journey(round_trip_ms=60))
    lossy = Place(journey=Journey(round_trip_ms=120, lost_percent=2), tokens_per_second=20)
    joins = {LIVEKITS_OWN: [100.0] * 9, OURS: [109.0] * 7 + [float("inf")] * 2}

    table, bars = to_sections({far: joins, lossy: joins}, joins=9)

    assert ["60 ms", "120 ms, 2 % lost, beside 20 tokens a second"] == [r.what for r in table.rows]
    held = [(row.what.rpartition(", ")[2], row.held.holds) for row in bars.rows if row.held]
    assert [("p50", True), ("p90", False), ("p50", True)] == held
