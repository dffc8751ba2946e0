"""When which agent is asked for a sign of life."""

from collections import Counter

import pytest

from token_server.keeper.questions import Questions


def ask_for(questions: Questions, since: float, seconds: float) -> Counter[str]:
    """Ask whoever is due, again and again for so long; each answers at once."""
    asked: Counter[str] = Counter()
    for step in range(round(seconds * 50)):
        now = since + step / 50
        while sid := questions.take(now):
            asked[sid] += 1
            questions.again(sid, now, now, is_in_doubt=False)
    return asked


@pytest.mark.parametrize(("agents", "seconds"), [(10, 1.0), (300, 1.0), (1_500, 5.0)])
def test_the_interval_grows_evenly_with_the_agents(agents: int, seconds: float) -> None:
    """300 questions a second and process."""
    questions = Questions()
    for number in range(agents):
        questions.begin(f"PA_{number}", 100.0)
    ask_for(questions, 100.0, 2 * seconds)

    asked = ask_for(questions, 100.0 + 2 * seconds, 4 * seconds)

    assert (agents, True) == (len(asked), 3 <= min(asked.values()) <= max(asked.values()) <= 5)
    assert seconds * 0.9 <= questions.longest_interval(100.0 + 6 * seconds) <= seconds * 1.3


def test_who_is_in_doubt_is_asked_first() -> None:
    """Whatever the budget: silence is to be known soon."""
    questions = Questions(per_second=1.0)
    for number in range(9):
        questions.begin(f"PA_{number}", 100.0)
    first = questions.take(100.0)
    assert first is not None
    questions.again(first, 100.0, 100.8, is_in_doubt=True)

    assert (first, None) == (questions.take(100.8), questions.take(100.8))


def test_who_is_gone_is_not_asked() -> None:
    """Neither in doubt nor otherwise."""
    questions = Questions()
    questions.begin("PA_1", 100.0)
    questions.again("PA_1", 100.0, 100.0, is_in_doubt=True)

    questions.end("PA_1")

    assert (None, 0.0) == (questions.take(200.0), questions.longest_interval(200.0))


def test_thousands_that_are_due_at_once_are_asked_one_after_the_other() -> None:
    """As after a process stood still; what is due within a moment is asked ahead of its time."""
    questions = Questions(per_second=200.0)
    for number in range(2_000):
        questions.begin(f"PA_{number}", 100.0)

    asked = 0
    for step in range(10):
        now = 100.0 + step / 100
        while questions.next_due(now) <= now + 0.02 and questions.take(now + 0.02):
            asked += 1

    assert 200 <= asked <= 225
