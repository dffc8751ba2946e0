"""Whose rooms are whose."""

from collections import Counter

import pytest

from token_server.keeper.shares import Shares, owner

ROOMS = [f"room-{number}" for number in range(1_000)]


class Meeting:
    """A place where a test says who is there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.here: set[str] = set()

    def meet(self) -> frozenset[str]:
        return frozenset(self.here | {self.name})

    def part(self) -> None:
        self.here.discard(self.name)


class Process:
    """One process, and its clock."""

    def __init__(self, name: str, *others: str) -> None:
        self.meeting, self.now = Meeting(name), 100.0
        self.meeting.here |= set(others)
        self.shares = Shares(self.meeting, lambda: self.now)
        self.shares.beat(is_able=True)

    def mine(self) -> set[str]:
        """Name the rooms that it looks after."""
        return set(filter(self.shares.is_mine, ROOMS))


@pytest.mark.parametrize("count", [2, 3, 8])
def test_everybody_has_about_as_many_rooms(count: int) -> None:
    """Of two each has 40 to 60 % of them."""
    members = [f"{number}-process" for number in range(count)]

    found = Counter(owner(room_name, members) for room_name in ROOMS)

    assert all(0.8 < found[member] * count / len(ROOMS) < 1.2 for member in members)


def test_who_goes_changes_only_its_own_rooms() -> None:
    """All others are known to whoever looks after them."""
    members = ["a", "b", "c", "d"]
    before = {room_name: owner(room_name, members) for room_name in ROOMS}

    after = {room_name: owner(room_name, members[:3]) for room_name in ROOMS}

    assert {"d"} == {before[name] for name in ROOMS if before[name] != after[name]}


def test_two_share_all_rooms() -> None:
    """None is nobody's, and none both's."""
    first, second = Process("a", "b"), Process("b", "a")

    assert (set(ROOMS), set()) == (first.mine() | second.mine(), first.mine() & second.mine())


def test_who_comes_begins_at_once_and_who_was_there_hands_over_a_moment_later() -> None:
    """Two may look, never nobody."""
    first = Process("a")
    second = Process("b", "a")
    first.meeting.here.add("b")
    shares = [first.mine()]
    for _ in range(5):
        first.now += 0.5
        first.shares.beat(is_able=True)
        shares.append(first.mine())

    assert all(set(ROOMS) == mine | second.mine() for mine in shares)
    assert (1_000, False) == (len(shares[1]), bool(shares[-1] & second.mine()))


def test_the_rooms_of_one_that_is_gone_are_ours_with_the_next_beat() -> None:
    """A call is silent until somebody looks."""
    first = Process("a", "b")
    first.meeting.here.clear()

    first.shares.beat(is_able=True)

    assert set(ROOMS) == first.mine()


def test_one_that_livekit_does_not_answer_has_no_share() -> None:
    """It may be cut off from LiveKit and not from the others, who can look."""
    cut_off = Process("a", "b")
    cut_off.meeting.here.add("a")

    cut_off.shares.beat(is_able=False)

    assert ({"b"}, False) == (cut_off.meeting.here, cut_off.shares.are_met)
