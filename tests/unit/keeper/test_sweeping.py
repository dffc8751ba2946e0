"""Which live rooms are looked at when only listings tell of them."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.greenlets import run_under_gevent
from token_server.keeper.sweeping import TICK, Sweeping
from token_server.livekit.port import Room

START = datetime(2026, 1, 1, tzinfo=UTC)
COVERED = ("phone-*",)


def everybody_s(room_name: str) -> bool:
    """Say that each room is this process's."""
    return bool(room_name)


class LiveKit:
    """Rooms as LiveKit lists them, and one process that sweeps over its share of them."""

    def __init__(self, attend_rooms: tuple[str, ...] = COVERED) -> None:
        self.rooms: dict[str, Room] = {}
        self.sweeping = Sweeping(attend_rooms)
        self.now, self.at, self.has_webhooks, self.took = START, 100.0, False, 0.0
        self.is_mine = everybody_s
        self.has_human: bool | None = True  # what looks see; None: they fail
        self.do_look = True
        self.listed: dict[str, Room] = {}
        self._list_at = 0.0

    def make(
        self, room_name: str, count: int = 0, age: float = 0.0, sid: str = "", publishers: int = 0
    ) -> None:
        """Make a room that LiveKit lists with so many people."""
        self.rooms[room_name] = Room(
            room_name=room_name,
            room_sid=sid or f"RM_{room_name}",
            created_at=self.now - timedelta(seconds=age),
            num_participants=count,
            num_publishers=publishers,
        )

    def pause(self) -> float:
        """Return the seconds until the next listing."""
        return self.sweeping.pause(self.took, has_webhooks=self.has_webhooks)

    def tick(self) -> list[str]:
        """List the rooms if it is time to, have the next looked at, and let the time pass."""
        if self.at >= self._list_at:
            self._list_at = self.at + self.pause()
            self.sweeping.listed(dict(self.rooms), self.now, self.at, self.is_mine)
        chosen = self.sweeping.choose(self.at)
        names = [*chosen.at_once, *chosen.in_turn]
        for room_name in names if self.do_look else ():
            self.sweeping.looked(room_name, self.at, has_human=self.has_human)
        self.at += TICK
        self.now += timedelta(seconds=TICK)
        return names

    def run(self, seconds: float) -> list[str]:
        """Let so much time pass; the looks in order."""
        return [name for _ in range(round(seconds / TICK)) for name in self.tick()]


@pytest.fixture
def livekit() -> LiveKit:
    """A LiveKit without rooms, of whose webhooks none reaches us."""
    return LiveKit()


def number(count: int, prefix: str) -> list[str]:
    """Name so many rooms."""
    return [f"{prefix}-{n}" for n in range(count)]


def test_rooms_of_the_fewest_people_come_first(livekit: LiveKit) -> None:
    """A human who waits for an agent is in a room of one; an agent is heard, and not counted."""
    livekit.make("with an agent", 1, age=60, publishers=2)
    for room_name, count in {"three": 3, "one": 1, "two": 2}.items():
        livekit.make(room_name, count, age=60, publishers=1)

    assert ["one", "two", "three", "with an agent"] == livekit.tick()


@pytest.mark.parametrize("room_name", ["room", "phone-1"])
@pytest.mark.parametrize("has_webhooks", [True, False])
def test_a_young_room_that_seems_empty_is_looked_at_and_an_old_one_is_not(
    livekit: LiveKit, room_name: str, *, has_webhooks: bool
) -> None:
    """LiveKit counts nobody in a new room for up to 5 s."""
    livekit.make("old", age=11)
    livekit.make(room_name, age=3)
    livekit.has_webhooks = has_webhooks

    assert {room_name} == {*livekit.run(5)}


def test_a_new_room_does_not_keep_those_with_people_waiting(livekit: LiveKit) -> None:
    """Each token makes one, and as a rule its human is yet to come."""
    for room_name in number(100, "new"):
        livekit.make(room_name)
    livekit.make("room", 2, age=60)

    assert "room" == livekit.tick()[0]


@pytest.mark.parametrize(("has_webhooks", "pause"), [(False, 1.0), (True, 5.0)])
def test_the_rooms_are_listed_often_where_nothing_else_finds_who_waits(
    livekit: LiveKit, *, has_webhooks: bool, pause: float
) -> None:
    """Elsewhere it would cost LiveKit for nothing."""
    livekit.has_webhooks = has_webhooks

    assert pause == livekit.pause()


@pytest.mark.parametrize(
    ("took", "pause"), [(0.05, 1.0), (0.2, 2.0), (3.0, 5.0)], ids=["few", "thousands", "no answer"]
)
def test_a_listing_that_took_long_is_rarer(livekit: LiveKit, took: float, pause: float) -> None:
    """5,000 rooms must not cost a core, here or in LiveKit."""
    livekit.took = took

    assert pause == livekit.pause()


@pytest.mark.parametrize("has_webhooks", [True, False])
def test_a_room_in_which_livekit_counts_others_is_looked_at_with_that_listing(
    livekit: LiveKit, *, has_webhooks: bool
) -> None:
    """Its agent has gone, which takes a publisher away: of thousands it is not to wait its turn."""
    livekit.has_webhooks = has_webhooks
    for room_name in number(3_000, "room"):
        livekit.make(room_name, 1, age=60, publishers=2)
    livekit.run(70)
    livekit.rooms["room-7"] = replace(livekit.rooms["room-7"], num_publishers=1)

    assert "room-7" in livekit.run(livekit.pause())


def test_a_covered_room_is_looked_at_at_once(livekit: LiveKit) -> None:
    """A call has begun; its phone rings."""
    livekit.tick()
    livekit.tick()
    livekit.make("phone-1")

    livekit.sweeping.listed(dict(livekit.rooms), livekit.now, livekit.at, livekit.is_mine)

    found = [livekit.sweeping.choose(livekit.at).at_once for _ in range(3)]
    assert [["phone-1"], [], []] == found


def test_a_covered_room_that_was_made_again_is_new(livekit: LiveKit) -> None:
    """The next call of a rule that has one room for all."""
    livekit.make("phone-1", age=60)
    livekit.run(2)
    livekit.make("phone-1", sid="RM_next")

    livekit.sweeping.listed(dict(livekit.rooms), livekit.now, livekit.at, livekit.is_mine)

    assert ["phone-1"] == livekit.sweeping.choose(livekit.at).at_once


def test_a_covered_room_without_a_human_is_looked_at_with_every_listing(livekit: LiveKit) -> None:
    """Its caller is listed a moment after the room, and counted up to 5 s later."""
    livekit.has_human = False
    livekit.make("phone-1", age=60)

    assert 10 <= Counter(livekit.run(10))["phone-1"] <= 11


def test_a_room_of_the_others_is_left_to_them(livekit: LiveKit) -> None:
    """What two do costs twice."""
    livekit.is_mine = lambda room_name: room_name == "room-1"
    for room_name in number(3, "room"):
        livekit.make(room_name, 2, age=60)

    assert ({"room-1"}, 1) == ({*livekit.run(10)}, livekit.sweeping.rooms_mine)


def test_rooms_of_one_that_is_gone_are_looked_at_at_once(livekit: LiveKit) -> None:
    """Nobody knows what has happened there since."""
    livekit.has_webhooks = True
    livekit.is_mine = lambda room_name: room_name < "room-2"
    for room_name in number(40, "room"):
        livekit.make(room_name, 1, age=60)
    livekit.run(10)

    livekit.sweeping.share(livekit.at, lambda _: True)

    assert {name for name in livekit.rooms if name >= "room-2"} <= {*livekit.run(1)}
    livekit.sweeping.share(livekit.at, lambda _: False)
    assert (0, []) == (livekit.sweeping.rooms_mine, livekit.run(10))


def test_each_room_has_its_turn_before_one_has_it_again(livekit: LiveKit) -> None:
    """With webhooks ten looks a second of all processes: 100 rooms take 10 s."""
    livekit.has_webhooks = True
    for room_name in number(100, "room"):
        livekit.make(room_name, 2, age=60)
    livekit.run(12)

    turns = [Counter(livekit.run(10)) for _ in range(3)]

    assert all(90 <= turn.total() <= 110 and max(turn.values()) <= 2 for turn in turns)
    assert {*number(100, "room")} == {*turns[0], *turns[1]}


@pytest.mark.parametrize(
    ("rooms", "seconds"), [(1, 3.0), (500, 3.9), (2_500, 19.3)], ids=["one", "500", "2,500"]
)
def test_without_webhooks_turns_are_as_fast_as_the_budget(
    livekit: LiveKit, rooms: int, seconds: float
) -> None:
    """Half of 1,000 rooms within 4 s, half of 5,000 within 20; few every 3 s."""
    for room_name in number(rooms, "room"):
        livekit.make(room_name, 1, age=60)
    livekit.run(2 * seconds)

    looks = Counter(livekit.run(4 * seconds))

    assert (rooms, True) == (len(looks), 3 <= min(looks.values()) <= max(looks.values()) <= 5)
    assert livekit.sweeping.oldest_look(livekit.at) <= seconds + 2 * TICK


def test_a_look_of_whoever_counts(livekit: LiveKit) -> None:
    """A webhook's shows the same."""
    livekit.make("room", 1, age=60)
    livekit.tick()
    looked = []
    for _ in range(40):
        looked += livekit.tick()
        livekit.sweeping.looked("room", livekit.at, has_human=True)

    assert [] == looked


def test_where_looks_are_slow_no_more_than_a_second_s_wait(livekit: LiveKit) -> None:
    """What has changed meanwhile is not to wait behind thousands."""
    for room_name in number(2_500, "room"):
        livekit.make(room_name, 1, age=60)
    livekit.do_look = False

    assert 150 == len(livekit.run(10))


def test_a_room_whose_looks_fail_does_not_keep_others(livekit: LiveKit) -> None:
    """It is looked at again by whoever has seen it fail."""
    for room_name in number(30, "room"):
        livekit.make(room_name, 1, age=60)
    livekit.has_human = None

    assert {*livekit.rooms} == {*livekit.run(3)}
    assert livekit.sweeping.oldest_look(livekit.at) >= 3


def test_a_room_that_has_ended_is_not_looked_at(livekit: LiveKit) -> None:
    """A look would ask LiveKit for nothing."""
    for room_name in number(20, "room"):
        livekit.make(room_name, 2, age=60)
    livekit.run(1)
    livekit.rooms = {}
    livekit.run(1)

    assert ([], 0.0) == (livekit.run(10), livekit.sweeping.oldest_look(livekit.at))


MANY = """
from datetime import UTC, datetime
from token_server.keeper.sweeping import Sweeping
from token_server.livekit.port import Room

THEN = datetime(2026, 1, 1, tzinfo=UTC)
rooms = {f"room-{n}": Room(room_name=f"room-{n}", room_sid=f"RM_{n}", created_at=THEN,
                           num_participants=1) for n in range(5_000)}
asked = longest = 0
before = 0

def is_mine(room_name):
    global asked, longest, before
    if turns != before:
        asked, before = 0, turns
    asked += 1
    longest = max(longest, asked)
    return True

sweeping = Sweeping()
sweeping.listed(rooms, THEN, 0.0, is_mine)
time.sleep(0.001)
sweeping.share(1.0, is_mine)
time.sleep(0.001)
turns_before = turns
sweeping.listed(rooms, THEN, 2.0, is_mine)
print(longest <= 500, turns - turns_before >= 5_000 / 250 - 1)
"""


def test_others_have_their_turn_while_thousands_of_rooms_are_gone_through() -> None:
    """5,000 rooms in one go would hold up every request."""
    assert "True True" == run_under_gevent(MANY)


def test_rooms_whose_looks_go_on_failing_do_not_take_the_turns_of_others(livekit: LiveKit) -> None:
    """A node of LiveKit's has died, say: the schedule looks at its rooms ever more rarely."""
    for number in range(400):
        livekit.make(f"{'good' if number % 4 == 0 else 'bad'}-{number}", 1, age=60)
    livekit.do_look = False
    failed: set[str] = set()
    good = 0

    for _ in range(80):
        for room_name in livekit.tick():
            if room_name.startswith("good"):
                good += 1
                livekit.sweeping.looked(room_name, livekit.at, has_human=True)
            elif room_name not in failed:
                failed.add(room_name)
                livekit.sweeping.looked(room_name, livekit.at, has_human=None)

    assert good > 100 * 40 / 5
