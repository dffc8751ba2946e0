import time

from hypothesis import given
from hypothesis import strategies as st

from tests.due import awaited, take, take_peek
from token_server.keeper.schedule import (
    LOOKERS,
    LOOKS_PER_SECOND,
    RETRIES_PER_SECOND,
    ROOMS_FAILING,
    Looked,
    Schedule,
    pause,
)
from token_server.livekit.pace import Pace, Purpose

HOUR = 3600.0
NOTHING = Looked()


def play(
    schedule: Schedule, until: float, looked: Looked = NOTHING, now: float = 0
) -> list[tuple[float, str]]:
    """Be one looking thread for whom time flies: when is which room looked at?"""
    looks = []
    while now <= until:
        room_name, wait = take(schedule, now)
        if room_name is not None:
            looks.append((round(now, 3), room_name))
            schedule.finish(room_name, looked, now)
        elif wait is None:
            break
        else:
            now += wait + 1e-9
    return looks


def test_a_webhook_has_a_room_looked_at_at_once() -> None:
    """The fast path, on which no budget weighs."""
    schedule = Schedule(speed=0.02)
    for number in range(5):
        schedule.look_now(f"room-{number}")

    assert [(0.0, f"room-{number}") for number in range(5)] == play(schedule, until=0)


def test_ten_webhooks_for_a_room_are_one_look() -> None:
    """They are hints, and the state is the same for all of them."""
    schedule = Schedule()
    for _ in range(10):
        schedule.look_now("room")

    assert [(0.0, "room")] == play(schedule, until=HOUR)


def test_a_room_in_hand_is_not_taken_twice() -> None:
    """Two threads that look at one room would act twice."""
    schedule = Schedule()
    schedule.look_now("room")
    take(schedule, 0)
    schedule.look_now("room")

    in_hand = take(schedule, 0)
    schedule.finish("room", Looked(), 0)

    assert ((None, None), ("room", None)) == (in_hand, take(schedule, 0))


def test_a_room_in_hand_that_is_due_does_not_keep_the_others_busy() -> None:
    """This once spun for good under the agenda's lock, and every request stood still."""
    schedule = Schedule()
    schedule.look_at("room", 0)
    take(schedule, 1)
    schedule.look_at("room", 1)
    schedule.look_at("other", 1)

    first, (room_name, wait) = take(schedule, 2), take(schedule, 2)

    assert (("other", None), None) == (first, room_name)
    assert wait is not None
    assert wait > 0


def test_a_look_that_wants_another_gets_it() -> None:
    """A dispatch is waited for until its window ends."""
    schedule = Schedule()
    schedule.look_now("room")
    room_name, _ = take(schedule, 0)
    assert room_name

    schedule.finish(room_name, Looked(again_in=6.0), 0)

    assert [(6.0, "room")] == play(schedule, until=HOUR)


def test_the_earliest_plan_counts() -> None:
    """A sweep does not put off what is due sooner."""
    schedule = Schedule()
    schedule.look_at("room", 5)
    schedule.look_at("room", 1)
    schedule.look_at("room", 9)

    assert [(1.0, "room")] == play(schedule, until=HOUR)


def fail_each(
    schedule: Schedule, until: float, failing: str = "bad", now: float = 0
) -> list[tuple[float, str]]:
    """Be one looking thread for which the looks at some rooms fail, by their names' beginning."""
    looks = []
    while now <= until:
        room_name, wait = take(schedule, now)
        if room_name is None:
            if wait is None:
                break
            now += wait + 1e-9
            continue
        looks.append((round(now, 3), room_name))
        if room_name.startswith(failing):
            schedule.fail(room_name, now)
        else:
            schedule.finish(room_name, NOTHING, now)
    return looks


def fail_often(schedule: Schedule, *room_names: str) -> float:
    """Let looks at these rooms fail until their pauses are at their longest; return the time."""
    now = 0.0
    for _ in range(6):
        for room_name in room_names:
            schedule.look_now(room_name)
        now += 20
        for _ in room_names:
            taken, _ = take(schedule, now)
            assert taken
            schedule.fail(taken, now)
    return now


def test_a_room_whose_looks_fail_is_looked_at_ever_more_rarely() -> None:
    """LiveKit may refuse its name for ever; tokens followed and sweeps do not hurry it."""
    schedule = Schedule()
    schedule.follow("bad", awaited(), now=0)
    schedule.look_now("bad")
    looks = []
    for second in range(61):
        schedule.look_at("bad", second)
        looks += fail_each(schedule, until=second + 0.99, now=second)

    assert [0, 1, 3, 7, 15, 30, 45, 60] == [int(moment) for moment, _ in looks]


def test_the_first_look_that_succeeds_ends_the_pauses() -> None:
    """The next trouble is a new one."""
    schedule = Schedule()
    failed = [schedule.fail("room", now) for now in (0, 1, 3)]
    schedule.finish("room", NOTHING, 7)

    assert ([1, 2, 3], 1) == (failed, schedule.fail("room", 8))
    assert [1, 2, 4, 8, 15, 15, 15] == [pause(failures) for failures in (1, 2, 3, 4, 5, 6, 9999)]


def test_a_webhook_and_a_token_make_the_next_look_come_at_once() -> None:
    """Something has changed there; it may be well again."""
    schedule = Schedule()
    now = fail_often(schedule, "bad")
    schedule.look_now("bad")
    by_webhook = fail_each(schedule, until=now + 9, now=now + 1)
    schedule.follow("bad", awaited(), now=now + 9)
    by_token = fail_each(schedule, until=now + 20, now=now + 9)

    assert [(now + 1, "bad")] == by_webhook
    assert [(round(now + 9.05, 3), "bad")] == by_token


def test_a_webhook_that_comes_while_a_failing_room_is_looked_at_counts() -> None:
    """What it tells of may have happened after that look began."""
    schedule = Schedule()
    now = fail_often(schedule, "bad") + 20
    assert "bad" == take(schedule, now)[0]
    schedule.look_now("bad")
    in_hand = take(schedule, now)[0]
    schedule.fail("bad", now + 0.2)

    assert (None, "bad") == (in_hand, take(schedule, now + 0.3)[0])


def test_any_number_of_failing_rooms_does_not_eat_the_others_budget() -> None:
    """A node of LiveKit's is gone, and the rooms of all others have their humans."""
    schedule = Schedule()
    for number in range(1000):
        schedule.fail(f"bad-{number}", 0)
    for number in range(300):
        schedule.look_at(f"good-{number}", 20 + number * 0.05)

    looks = fail_each(schedule, until=40)

    good = [moment for moment, room_name in looks if room_name.startswith("good")]
    bad = [moment for moment, room_name in looks if room_name.startswith("bad")]
    # As many looks a second as if there were none that failed.
    assert (300, True) == (len(good), good[-1] - 20 <= 300 * 0.05)
    assert len(bad) <= 40 * RETRIES_PER_SECOND + 6


def test_webhooks_and_tokens_for_failing_rooms_do_not_eat_the_others_budget() -> None:
    """A hundred a second, for rooms whose names LiveKit refuses."""
    schedule, looks = Schedule(), []
    for number in range(10):
        schedule.fail(f"bad-{number}", 0)
    for number in range(100):
        schedule.look_at(f"good-{number}", 20)
    for hundredth in range(1000):
        now = 20 + hundredth / 100
        schedule.look_now(f"bad-{hundredth % 10}")
        schedule.follow(f"bad-{hundredth % 7}", awaited(), now)
        looks += fail_each(schedule, until=now + 0.009, now=now)

    good = [moment for moment, room_name in looks if room_name.startswith("good")]
    assert (100, True) == (len(good), good[-1] - 20 <= 100 / LOOKS_PER_SECOND[Purpose.WAITING])
    assert len(looks) - 100 <= 10 * RETRIES_PER_SECOND + 6


def test_failing_rooms_do_not_take_all_threads() -> None:
    """Each may fail by a time-out of five seconds."""
    schedule = Schedule()
    for number in range(LOOKERS):
        schedule.fail(f"bad-{number}", 0)
        schedule.look_now(f"bad-{number}")
    schedule.look_at("good", 5)

    taken = [take(schedule, 20 + number)[0] for number in range(LOOKERS // 2 + 2)]

    assert ["good", *(f"bad-{number}" for number in range(LOOKERS // 2)), None] == taken
    schedule.fail("bad-0", 40)
    assert f"bad-{LOOKERS // 2}" == take(schedule, 40)[0]


def test_when_livekit_is_back_nobody_waits_for_the_end_of_a_pause() -> None:
    """But a room that fails by itself does."""
    schedule = Schedule()
    now = fail_often(schedule, "a", "b", "bad")

    schedule.forgive(now + 1, unless={"bad"})

    looks = fail_each(schedule, until=now + 2, now=now + 1)
    assert ["a", "b"] == [room_name for _, room_name in looks]


def test_only_so_many_failing_rooms_are_remembered() -> None:
    """Memory is bounded; the sweep finds the humans of the others."""
    schedule = Schedule(speed=1e9)
    for number in range(ROOMS_FAILING + 1):
        schedule.fail(f"bad-{number}", 0)

    looked_at = {room_name for _, room_name in play(schedule, until=2)}

    assert (ROOMS_FAILING, False) == (len(looked_at), "bad-0" in looked_at)


def test_a_purpose_does_not_eat_the_looks_of_another() -> None:
    """Five thousand rooms that are swept must not put off the repair of one dispatch."""
    schedule = Schedule()
    for number in range(5000):
        schedule.look_at(f"swept-{number}", 0, Purpose.SWEEP)
    schedule.look_at("followed", 10, Purpose.FOLLOWED)
    schedule.look_at("waiting", 10)

    looks = [(int(moment), room_name) for moment, room_name in play(schedule, until=11)]

    assert {(10, "followed"), (10, "waiting")} <= set(looks)
    assert len(looks) <= 12 * LOOKS_PER_SECOND[Purpose.SWEEP] + 3


def test_of_what_is_due_the_human_who_waits_goes_first() -> None:
    """The lanes' order is that of the purposes."""
    schedule = Schedule()
    for purpose in (
        Purpose.SWEEP,
        Purpose.FOLLOWED,
        Purpose.FRESH,
        Purpose.AGAIN,
        Purpose.WAITING,
    ):
        schedule.look_at(purpose.name, 0, purpose)
    schedule.look_now("webhook")

    taken = [take(schedule, 1)[0] for _ in range(6)]

    assert ["webhook", "WAITING", "AGAIN", "FRESH", "FOLLOWED", "SWEEP"] == taken


def test_a_sweep_does_not_take_all_lookers() -> None:
    """Each may wait for a LiveKit that is far away, and a webhook comes meanwhile."""
    schedule = Schedule()
    for number in range(100):
        schedule.look_at(f"swept-{number}", 0, Purpose.SWEEP)
    swept = [take(schedule, tenth / 10)[0] for tenth in range(100)]
    schedule.look_now("webhook")
    schedule.look_at("waiting", 10)

    taken = [take(schedule, 11)[0] for _ in range(3)]

    assert LOOKERS - 4 == len([room_name for room_name in swept if room_name])
    assert ["webhook", "waiting", None] == taken


def test_a_failed_peek_is_a_failed_look() -> None:
    """A room whose peeks fail is asked for ever more rarely, too; but not while it is looked at."""
    schedule = Schedule()
    schedule.follow("room", awaited(), now=0)
    assert "room" == take_peek(schedule, 0.05)[0]
    schedule.fail_peek("room", 0.05)

    until = [take_peek(schedule, 1)[0], take(schedule, 1)[0], take(schedule, 1.06)[0]]
    schedule.fail_peek("room", 1.06)

    assert [None, None, "room", None] == [*until, take(schedule, 60)[0]]


def test_ten_thousand_rooms_come_and_are_forgotten_in_linear_time() -> None:
    """What searches for the oldest one by one keeps the lock of all threads for seconds."""

    def seconds(rooms: int) -> float:
        schedule, began = Schedule(), time.process_time()
        for number in range(rooms):
            schedule.fail(f"bad-{number}", 0)
            schedule.follow(f"room-{number}", awaited(), number / 100)
            schedule.look_now(f"webhook-{number}")
        while room_name := take(schedule, rooms)[0]:
            schedule.finish(room_name, NOTHING, rooms)
        return time.process_time() - began

    assert seconds(30_000) < 9 * seconds(10_000)


steps = st.lists(
    st.tuples(
        st.sampled_from(["now", "at", "follow", "take", "finish", "fail", "forgive"]),
        st.sampled_from(["a", "b", "c"]),
        st.floats(min_value=0, max_value=3),
    ),
    max_size=60,
)


@given(steps)
def test_whatever_happens_take_answers_and_keeps_rooms_apart(
    given_steps: list[tuple[str, str, float]],
) -> None:
    """`take` runs under the lock of all threads: it must end, and never hand out a room twice."""
    schedule, in_hand, now = Schedule(), set[str](), 0.0
    for step, room_name, seconds in given_steps:
        now += seconds / 3
        if step == "now":
            schedule.look_now(room_name)
        elif step == "at":
            schedule.look_at(room_name, now + seconds)
        elif step == "follow":
            schedule.follow(room_name, awaited(seconds=seconds), now)
        elif step == "take":
            taken, _ = take(schedule, now)
            assert taken not in in_hand
            in_hand |= {taken} if taken else set()
        elif step == "forgive":
            schedule.forgive(now)
        elif room_name in in_hand:
            in_hand.discard(room_name)
            if step == "fail":
                schedule.fail(room_name, now)
            else:
                schedule.finish(room_name, Looked(again_in=seconds), now)


class Counted(Pace):
    """Counts what is spent."""

    def __init__(self) -> None:
        self.asked: list[Purpose] = []

    def spent(self, requests: int = 1, purpose: Purpose = Purpose.WAITING) -> None:
        """Count."""
        self.asked += [purpose] * requests


def test_what_is_put_off_stays_what_it_was_for() -> None:
    """A sweep's look that LiveKit refused (429) was a waiting human's then, never held back."""
    pace = Counted()
    schedule = Schedule(pace=pace)
    schedule.look_at("room", 0.0, Purpose.SWEEP)
    due, _ = schedule.take(0.0)
    assert due

    schedule.finish("room", Looked(again_in=1.0, purpose=due.purpose), 0.0)

    assert schedule.take(1.0)[0] == due
    # Counted when it is taken: whoever comes next is to find that something was spent.
    assert [Purpose.SWEEP] * 2 == pace.asked
