"""What is said about LiveKit, and what about one room."""

import pytest

from token_server.keeper.livekit_silence import News, Silence


@pytest.fixture
def silence() -> Silence:
    """Nothing has failed yet."""
    return Silence()


def fail(silence: Silence, *room_names: str, failures: int = 1) -> list[News]:
    """Let looks at these rooms fail in a row."""
    return [silence.look_failed(room_name, failures) for room_name in room_names]


def test_several_rooms_in_a_row_are_livekits_silence_said_once(silence: Silence) -> None:
    """And once that it is back."""
    failed = fail(silence, "a", "b", "c", "d", "a", "e")
    back = [silence.looked("a"), silence.looked("b")]

    assert [News.NOTHING, News.NOTHING, News.SILENT, *[News.NOTHING] * 3] == failed
    assert [News.BACK, News.NOTHING] == back


def test_one_room_that_fails_by_itself_is_named_once_and_is_not_livekits_silence(
    silence: Silence,
) -> None:
    """Its name may be one that LiveKit refuses; it fails for as long as somebody is in it."""
    said = [silence.look_failed("bad", failures) for failures in range(1, 50)]

    assert [News.NOTHING, News.NOTHING, News.ROOM] == said[:3]
    assert ({News.NOTHING}, {"bad"}) == (set(said[3:]), set(silence.failing_alone()))


def test_rooms_that_fail_by_themselves_together_do_not_make_livekit_silent_again_and_again(
    silence: Silence,
) -> None:
    """Three that are looked at one after the other every 15 s, all night."""
    said = []
    for failures in range(1, 100):
        said += [silence.look_failed(name, failures) for name in ("bad", "worse", "worst")]
        said.append(silence.looked("good"))

    assert (2, 2, 3) == tuple(said.count(news) for news in (News.SILENT, News.BACK, News.ROOM))


def test_a_room_that_answers_again_may_be_named_again(silence: Silence) -> None:
    """It is another trouble."""
    fail(silence, "bad", failures=3)
    silence.looked("bad")

    assert ([News.ROOM], {"bad"}) == (
        fail(silence, "bad", failures=3),
        set(silence.failing_alone()),
    )


def test_a_sweep_that_fails_is_livekits_silence_until_one_is_answered(silence: Silence) -> None:
    """No room is to blame; where only the list fails, nobody reads of it every five seconds."""
    said = [silence.sweep_failed(), silence.looked("a"), silence.sweep_failed(), silence.swept()]

    assert [News.SILENT, News.NOTHING, News.NOTHING, News.BACK] == said


def test_a_sweep_that_is_answered_ends_the_silence_of_rooms_too(silence: Silence) -> None:
    """LiveKit is back, and the rooms in their pauses are to be looked at."""
    fail(silence, "a", "b")
    silence.sweep_failed()
    fail(silence, "c", "d")

    assert [News.BACK, News.NOTHING] == [silence.swept(), silence.swept()]


def test_whoever_failed_before_livekit_fell_silent_is_not_blamed(silence: Silence) -> None:
    """With one room in a call, the looks at it fail a few times before the first sweep does."""
    fail(silence, "only", failures=3)
    silence.sweep_failed()
    silence.swept()

    assert set() == silence.failing_alone()
    assert ([News.NOTHING], {"only"}) == (
        fail(silence, "only", failures=9),
        set(silence.failing_alone()),
    )


def test_only_so_many_rooms_are_remembered(silence: Silence) -> None:
    """Names are the callers' own."""
    fail(silence, *(f"room-{number}" for number in range(10_001)), failures=3)

    assert (10_000, False) == (
        len(silence.failing_alone()),
        "room-0" in silence.failing_alone(),
    )
