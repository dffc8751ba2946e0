"""What the processes of one machine share: two MachineStates on one folder are two processes."""

import time
from pathlib import Path

import pytest

from token_server.locks import MachineState


@pytest.fixture
def first(tmp_path: Path) -> MachineState:
    """One process."""
    return MachineState(tmp_path)


@pytest.fixture
def second(tmp_path: Path) -> MachineState:
    """Another process on the same folder."""
    return MachineState(tmp_path)


@pytest.fixture
def gone(tmp_path: Path) -> MachineState:
    """A process whose folder cannot be: a file is in its place."""
    (tmp_path / "file").touch()
    return MachineState(tmp_path / "file" / "folder")


def test_one_process_at_a_time_holds_a_room(first: MachineState, second: MachineState) -> None:
    """Two would send two agents: CreateDispatch never deduplicates (facts, 5)."""
    with first.hold_room("kitchen") as is_first, second.hold_room("kitchen") as is_second:
        held = (is_first, is_second)

    assert (True, False) == held


def test_one_thread_at_a_time_holds_a_room(first: MachineState) -> None:
    """The threads of one process are actors like any other."""
    with first.hold_room("kitchen") as is_first, first.hold_room("kitchen") as is_second:
        held = (is_first, is_second)

    assert (True, False) == held


def test_other_rooms_are_free(first: MachineState, second: MachineState) -> None:
    """One slow room does not stop the others."""
    with first.hold_room("kitchen"), second.hold_room("bedroom") as is_held:
        assert is_held


def test_a_released_room_is_free(first: MachineState, second: MachineState) -> None:
    """Also for who could not have it before."""
    with first.hold_room("kitchen"), second.hold_room("kitchen"):
        pass

    with second.hold_room("kitchen") as is_held:
        assert is_held


def test_who_could_not_hold_a_room_does_not_free_it(
    first: MachineState, second: MachineState, tmp_path: Path
) -> None:
    """The way out of the block releases only what was acquired."""
    with first.hold_room("kitchen"):
        with second.hold_room("kitchen"):
            pass
        with MachineState(tmp_path).hold_room("kitchen") as is_held:
            assert not is_held


def test_an_error_frees_the_room(first: MachineState, second: MachineState) -> None:
    """LiveKit failing is nothing unusual in a look."""
    with pytest.raises(RuntimeError), first.hold_room("kitchen"):
        raise RuntimeError

    with second.hold_room("kitchen") as is_held:
        assert is_held


def test_one_process_sweeps(first: MachineState, second: MachineState) -> None:
    """And stays the one, however often it is asked."""
    asked = [machine.is_sweeper() for machine in (first, second, first, second)]
    first.resign()

    assert [True, False, True, False] == asked


def test_another_process_sweeps_after_a_resignation(
    first: MachineState, second: MachineState
) -> None:
    """A restart must not end the sweep."""
    first.is_sweeper()

    first.resign()

    assert (True, False) == (second.is_sweeper(), first.is_sweeper())
    second.resign()


def test_who_does_not_sweep_resigns_in_vain(first: MachineState, second: MachineState) -> None:
    """Every process resigns when it stops."""
    first.is_sweeper()

    second.resign()

    assert (False, True) == (second.is_sweeper(), first.is_sweeper())
    first.resign()


def test_a_webhook_at_one_process_is_known_to_the_other(
    first: MachineState, second: MachineState
) -> None:
    """LiveKit's webhooks reach one of them, tokens are issued by all."""
    before = second.webhook_last_arrived()

    first.webhook_arrived()

    assert (0.0, True) == (before, abs(second.webhook_last_arrived() - time.time()) < 2)


def test_without_the_folder_everything_is_free(gone: MachineState) -> None:
    """A full disk must not leave humans without agents: locks save work and decide nothing."""
    with gone.hold_room("kitchen") as is_first, gone.hold_room("kitchen") as is_second:
        held = (is_first, is_second)

    assert (True, True, True) == (*held, gone.is_sweeper())


def test_without_the_folder_webhooks_are_not_known_to_arrive(gone: MachineState) -> None:
    """Then rooms are followed quickly, which costs a little."""
    gone.webhook_arrived()

    assert 0.0 == gone.webhook_last_arrived()


def test_a_missing_folder_is_logged_once(
    gone: MachineState, caplog: pytest.LogCaptureFixture
) -> None:
    """Not 25 times a second."""
    for room_name in ("kitchen", "bedroom"):
        with gone.hold_room(room_name):
            pass

    assert ["Locks do not work, going on without"] == [r.getMessage() for r in caplog.records]
