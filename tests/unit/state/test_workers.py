"""What follows from what workers tell."""

import pytest

from tests.worker_words import JOB, process, word
from token_server.state.workers import (
    KnownWorker,
    Told,
    Word,
    WorkerBook,
    WorkerState,
    becomes_free,
    count_states,
)

NOW = 1_000.0
AGENT = "voice-agent"


class MemoryStore:
    """A store of one process."""

    def __init__(self) -> None:
        self.kept: dict[str, KnownWorker] = {}
        self.since = NOW
        self.readings = 0

    def of(self, process: str, now: float) -> KnownWorker | None:
        del now
        return self.kept.get(process)

    def put(self, word: Word, now: float, *, is_first: bool) -> None:
        self.kept[word.process] = KnownWorker(word, now)
        self.since = now if is_first else self.since

    def read(self, now: float) -> Told:
        self.readings += 1
        return Told([*self.kept.values()], self.since, now)


class Clock:
    """A clock that a test moves."""

    now = NOW

    def __call__(self) -> float:
        return self.now


def told(*words: Word, since: float = 0.0, heard_at: float = NOW) -> Told:
    """All these were heard at one time."""
    return Told([KnownWorker(each, heard_at) for each in words], since, NOW)


@pytest.mark.parametrize(
    ("changes", "seconds", "state"),
    [
        pytest.param({}, 5.9, WorkerState.IDLE, id="idle"),
        pytest.param({"calls": 1}, 0.0, WorkerState.BUSY, id="busy"),
        pytest.param({"calls": 2}, 0.0, WorkerState.FULL, id="full"),
        pytest.param({"calls": 2, "is_draining": True}, 0.0, WorkerState.DRAINING, id="draining"),
        pytest.param({"registered_for": None}, 0.0, WorkerState.UNREGISTERED, id="unregistered"),
        pytest.param({"is_draining": True}, 6.0, WorkerState.SILENT, id="silent"),
        pytest.param({}, -6.0, WorkerState.SILENT, id="a clock that was set back"),
    ],
)
def test_a_worker_is_in_one_state(
    changes: dict[str, object], seconds: float, state: WorkerState
) -> None:
    """Each of them asks something else of the operator."""
    assert state == KnownWorker(word(**changes), NOW).state(NOW + seconds)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(told(word(jobs=[JOB])), True, id="in hand"),
        pytest.param(told(word(jobs=[JOB]), since=NOW), True, id="known since now"),
        pytest.param(told(word(jobs=[JOB], agent_name="other")), True, id="another name has it"),
        pytest.param(told(word()), False, id="none has it"),
        pytest.param(told(word(), since=NOW - 5.9), None, id="some may not have told yet"),
        pytest.param(told(), None, id="nobody tells"),
        pytest.param(told(word(agent_name="other")), None, id="nobody of this name tells"),
        pytest.param(told(word(jobs=[JOB]), heard_at=NOW - 6), None, id="it is silent"),
    ],
)
def test_whether_a_dispatch_is_in_hand(known: Told, *, expected: bool | None) -> None:
    """From what is unknown nothing follows: a second agent would."""
    assert expected is known.hands("AD_1", AGENT)


def test_a_ghost_has_nothing_in_hand_beside_a_living_worker() -> None:
    """Frozen with a job: its human waits for another one."""
    ghost = KnownWorker(word(jobs=[JOB]), NOW - 7)
    living = KnownWorker(word(process=process(2)), NOW)

    assert Told([ghost, living], 0.0, NOW).hands("AD_1", AGENT) is False


def test_the_newest_registration_is_by_our_own_clock() -> None:
    """The clocks of machines differ, and an age is an age."""
    known = told(
        word(registered_for=60.0),
        word(process=process(2), registered_for=10.0),
        word(process=process(3), registered_for=1.0, agent_name="other"),
        word(process=process(4), registered_for=None),
    )

    assert (10.0, None) == (known.registered_ago(AGENT), known.registered_ago("nobody"))


@pytest.mark.parametrize(
    ("before", "changes", "expected"),
    [
        pytest.param(None, {}, True, id="new"),
        pytest.param({}, {}, False, id="the same again"),
        pytest.param({}, {"worker_id": "AW_2"}, True, id="registered again"),
        pytest.param({"registered_for": None}, {}, True, id="registered at last"),
        pytest.param({"calls": 2}, {"calls": 1}, True, id="room again"),
        pytest.param({"calls": 1}, {"calls": 0}, False, id="more room than before"),
        pytest.param(None, {"calls": 2}, False, id="new and full"),
        pytest.param(None, {"is_draining": True}, False, id="draining"),
        pytest.param({"calls": 2}, {"is_leaving": True}, False, id="leaving"),
    ],
)
def test_a_word_may_say_that_a_worker_becomes_free(
    before: dict[str, object] | None, changes: dict[str, object], *, expected: bool
) -> None:
    """Then who waits need not wait for the next look."""
    known = None if before is None else KnownWorker(word(**before), NOW)

    assert expected is becomes_free(known, word(**changes), NOW)


def test_one_that_was_silent_becomes_free() -> None:
    """LiveKit may have offered it jobs that nobody took."""
    assert becomes_free(KnownWorker(word(), NOW - 7), word(sequence=2), NOW)


def test_the_book_tells_who_becomes_free() -> None:
    """Whoever it was built for looks at rooms then."""
    free: list[str] = []
    book = WorkerBook(MemoryStore(), Clock(), free.append)

    for sequence, calls in enumerate((0, 1, 2, 1, 0)):
        book.hear(word(sequence=sequence, calls=calls))

    assert [AGENT, AGENT] == free


def test_an_older_word_that_comes_late_changes_nothing() -> None:
    """A request may be held up; a recorded one may be sent again."""
    store = MemoryStore()
    book = WorkerBook(store, Clock())
    book.hear(word(sequence=5, is_leaving=True))

    for sequence in (4, 5):
        book.hear(word(sequence=sequence, calls=1))

    assert [(5, True)] == [
        (each.word.sequence, each.word.is_leaving) for each in store.kept.values()
    ]


def test_what_is_known_begins_anew_after_a_time_without_any_word() -> None:
    """The token server was away: whoever has not told yet may live and have a job in hand."""
    clock = Clock()
    book = WorkerBook(MemoryStore(), clock)
    book.hear(word())
    clock.now += 7
    answers = [book.told().hands("AD_1", AGENT)]

    book.hear(word(sequence=2))
    for sequence in (3, 4):
        answers.append(book.told().hands("AD_1", AGENT))
        clock.now += 3
        book.hear(word(sequence=sequence))
    answers.append(book.told().hands("AD_1", AGENT))

    assert [None, None, None, False] == answers


def test_the_store_is_read_five_times_a_second_at_most() -> None:
    """Each look at a room where a human waits asks."""
    clock, store = Clock(), MemoryStore()
    book = WorkerBook(store, clock)

    for _ in range(10):
        book.workers()
        clock.now += 0.05

    assert store.readings <= 3


def test_a_word_is_seen_at_once_by_the_process_that_heard_it() -> None:
    """Whoever was told must not answer by what it knew before."""
    book = WorkerBook(MemoryStore(), Clock())
    book.workers()

    book.hear(word())

    assert 1 == len(book.workers())


def test_states_are_counted_for_each_name() -> None:
    """Also for the name that nobody has: an alert needs its zero."""
    counts = count_states(told(word(), word(process=process(2))).workers, ["asked"], NOW)

    assert (2, 0, 12) == (counts[AGENT, "idle"], counts["asked", "idle"], len(counts))
