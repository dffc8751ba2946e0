"""Which live rooms are looked at when only listings tell of them."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from token_server.keeper.sweeping import Chosen, Sweeping
from token_server.livekit.port import Room

START = datetime(2026, 1, 1, tzinfo=UTC)
COVERED = ("phone-*",)


class LiveKit:
    """Rooms as LiveKit lists them, and one process that sweeps over them."""

    def __init__(self, attend_rooms: tuple[str, ...] = COVERED) -> None:
        self.rooms: dict[str, Room] = {}
        self.sweeping = Sweeping(attend_rooms)
        self.now, self.has_webhooks, self.took = START, False, 0.0

    def make(self, room_name: str, count: int = 0, age: float = 0.0, sid: str = "") -> None:
        """Make a room that LiveKit lists with so many people."""
        self.rooms[room_name] = Room(
            room_name=room_name,
            room_sid=sid or f"RM_{room_name}",
            created_at=self.now - timedelta(seconds=age),
            num_participants=count,
        )

    def list(self) -> Chosen:
        """List the rooms once, and let the pause after it pass."""
        chosen = self.sweeping.choose(
            list(self.rooms.values()), self.now, self.took, has_webhooks=self.has_webhooks
        )
        self.now += timedelta(seconds=chosen.pause)
        return chosen

    def list_for(self, seconds: float) -> Iterator[Chosen]:
        """List the rooms again and again for so long."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            yield self.list()


@pytest.fixture
def livekit() -> LiveKit:
    """A LiveKit without rooms, of whose webhooks none reaches us."""
    return LiveKit()


def number(count: int, prefix: str) -> list[str]:
    """Name so many rooms."""
    return [f"{prefix}-{n}" for n in range(count)]


def test_rooms_of_the_fewest_people_come_first(livekit: LiveKit) -> None:
    """A human who waits for an agent is in a room of one."""
    for room_name, count in {"three": 3, "one": 1, "two": 2}.items():
        livekit.make(room_name, count, age=60)

    assert ["one", "two", "three"] == livekit.list().in_turn


@pytest.mark.parametrize("room_name", ["room", "phone-1"])
@pytest.mark.parametrize("has_webhooks", [True, False])
def test_a_young_room_that_seems_empty_is_looked_at_and_an_old_one_is_not(
    livekit: LiveKit, room_name: str, *, has_webhooks: bool
) -> None:
    """LiveKit counts nobody in a new room for up to 5 s."""
    livekit.make("old", age=11)
    livekit.make(room_name, age=9)
    livekit.has_webhooks = has_webhooks

    chosen = livekit.list()

    assert {room_name} == {*chosen.at_once, *chosen.in_turn}


def test_a_new_room_does_not_keep_those_with_people_waiting(livekit: LiveKit) -> None:
    """Each token makes one, and as a rule its human is yet to come."""
    for room_name in number(100, "new"):
        livekit.make(room_name)
    livekit.make("room", 2, age=60)

    assert "room" == livekit.list().in_turn[0]


@pytest.mark.parametrize(
    ("attend_rooms", "has_webhooks", "pause"),
    [(COVERED, False, 1.0), (COVERED, True, 5.0), ((), False, 5.0)],
    ids=["nothing else finds a caller", "webhooks do", "nobody without a token is attended"],
)
def test_the_rooms_are_listed_often_where_nothing_else_finds_a_caller(
    attend_rooms: tuple[str, ...], *, has_webhooks: bool, pause: float
) -> None:
    """Elsewhere it would cost LiveKit for nothing."""
    livekit = LiveKit(attend_rooms)
    livekit.has_webhooks = has_webhooks

    assert pause == livekit.list().pause


def test_a_covered_room_is_looked_at_once_at_once(livekit: LiveKit) -> None:
    """A call has begun; its phone rings."""
    livekit.list()
    livekit.make("phone-1")
    livekit.make("room")

    found = [livekit.list().at_once for _ in range(3)]

    assert [["phone-1"], [], []] == found


def test_a_covered_room_that_was_made_again_is_new(livekit: LiveKit) -> None:
    """The next call of a rule that has one room for all."""
    livekit.make("phone-1")
    livekit.list()
    livekit.sweeping.looked("phone-1", has_human=True)
    livekit.make("phone-1", sid="RM_next")

    found = [livekit.list() for _ in range(2)]

    assert (["phone-1"], ["phone-1"]) == (found[0].at_once, found[1].in_turn)


def test_rooms_that_were_there_before_this_process_do_not_break_the_budget(
    livekit: LiveKit,
) -> None:
    """At its start it has seen none of them."""
    for room_name in number(1000, "phone"):
        livekit.make(room_name, 2, age=60)

    chosen = livekit.list()

    assert ([], 10) == (chosen.at_once, len(chosen.in_turn))


def test_a_covered_room_without_a_human_is_looked_at_with_every_listing(livekit: LiveKit) -> None:
    """Its caller is listed a moment after the room, and counted up to 5 s later."""
    livekit.make("phone-1")
    livekit.list()

    def looks() -> list[bool]:
        return ["phone-1" in livekit.list().in_turn for _ in range(3)]

    livekit.sweeping.looked("phone-1", has_human=False)
    without = looks()
    livekit.sweeping.looked("phone-1", has_human=True)
    with_one = looks()
    livekit.sweeping.looked("phone-1", has_human=False)

    assert ([True] * 3, [True] * 3) == (without, looks())
    # The turn through all rooms has it once in five.
    assert 1 >= sum(with_one)


def test_the_others_have_their_turn_while_many_covered_rooms_are_empty(livekit: LiveKit) -> None:
    """Rooms made for callers who do not come must not hide a human who waits."""
    for room_name in number(100, "phone"):
        livekit.make(room_name, age=60)
    for room_name in number(20, "room"):
        livekit.make(room_name, 2, age=60)

    looked = Counter(name for chosen in livekit.list_for(60) for name in chosen.in_turn)

    assert {*number(100, "phone"), *number(20, "room")} == looked.keys()
    assert max(looked.values()) - min(looked.values()) < 15


@pytest.mark.parametrize("has_webhooks", [True, False])
@pytest.mark.parametrize("prefix", ["phone", "room"])
def test_however_many_rooms_there_are_there_are_ten_looks_a_second_at_most(
    livekit: LiveKit, prefix: str, *, has_webhooks: bool
) -> None:
    """LiveKit Cloud allows some 1,000 requests a minute (livekit-behaviour 100)."""
    livekit.has_webhooks = has_webhooks
    for room_name in number(2500, prefix):
        livekit.make(room_name, 2, age=60)
    for room_name in number(2500, f"{prefix}-empty"):
        livekit.make(room_name, age=60)

    listings = list(livekit.list_for(60))

    looks = sum(len(chosen.in_turn) + len(chosen.at_once) for chosen in listings)
    assert 540 <= looks <= 600
    assert len(listings) <= 60


def test_each_room_has_its_turn_before_one_has_it_again(livekit: LiveKit) -> None:
    """However many there are: 100 take 10 s."""
    livekit.has_webhooks = True
    for room_name in number(100, "room"):
        livekit.make(room_name, 2, age=60)

    turns = [sorted([*livekit.list().in_turn, *livekit.list().in_turn]) for _ in range(2)]

    assert [sorted(number(100, "room"))] * 2 == turns


def test_few_rooms_have_their_turn_every_five_seconds(livekit: LiveKit) -> None:
    """Also where the rooms are listed every second: what is attended needs no more."""
    livekit.make("room", 2, age=60)

    looks = sum(len(chosen.in_turn) for chosen in livekit.list_for(20))

    assert 4 == looks


def test_a_room_that_has_ended_before_its_turn_is_not_looked_at(livekit: LiveKit) -> None:
    """A look would ask LiveKit for nothing."""
    for room_name in number(20, "room"):
        livekit.make(room_name, 2, age=60)
    first = livekit.list().in_turn
    livekit.rooms = {name: room for name, room in livekit.rooms.items() if name in first}

    assert [] == livekit.list().in_turn


@pytest.mark.parametrize(
    ("took", "pause"), [(0.05, 1.0), (0.2, 2.0), (3.0, 5.0)], ids=["few", "thousands", "no answer"]
)
def test_a_listing_that_took_long_is_rarer(livekit: LiveKit, took: float, pause: float) -> None:
    """5,000 rooms must not cost a core, here or in LiveKit."""
    livekit.took = took

    assert pause == livekit.list().pause
