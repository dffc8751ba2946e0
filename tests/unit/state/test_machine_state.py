"""What the processes of one machine share, without their folder; the rest: test_shared_state."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from token_server.state import machine_state
from token_server.state.machine_state import MachineState


@pytest.fixture
def gone(tmp_path: Path) -> MachineState:
    """A process whose folder cannot be: a file is in its place."""
    (tmp_path / "file").touch()
    return MachineState(tmp_path / "file" / "folder")


def test_without_the_folder_everything_is_free(gone: MachineState) -> None:
    """A full disk must not leave humans without agents: locks save work and decide nothing."""
    with gone.hold_room("kitchen") as is_first, gone.hold_room("kitchen") as is_second:
        held = (is_first, is_second)

    assert (True, True, frozenset({gone.name})) == (*held, gone.meet())


def test_without_the_folder_webhooks_are_not_known_to_arrive(gone: MachineState) -> None:
    """Then rooms are followed quickly, which costs a little."""
    gone.webhook_arrived()

    assert 0.0 == gone.webhook_last_arrived()


def test_without_the_folder_each_process_counts_a_phone_caller(gone: MachineState) -> None:
    """Too many counted is better than none."""
    assert (True, True) == (gone.count_caller("PA_1"), gone.count_caller("PA_1"))


def test_without_the_folder_an_agent_may_have_been_sent_just_now(gone: MachineState) -> None:
    """Who cannot know asks LiveKit before it sends one."""
    assert (0.0, 0.0) == (gone.note_sending("kitchen"), gone.note_sending("bedroom"))


def test_a_missing_folder_is_logged_once(
    gone: MachineState, caplog: pytest.LogCaptureFixture
) -> None:
    """Not 25 times a second."""
    for room_name in ("kitchen", "bedroom"):
        with gone.hold_room(room_name):
            pass

    assert ["Locks do not work, going on without"] == [r.getMessage() for r in caplog.records]


_HOLD = """
import fcntl, sys
with open(sys.argv[1], "r+b") as marks:
    fcntl.lockf(marks, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_phone_caller_whom_another_process_counts_at_this_moment_is_its_to_count(
    tmp_path: Path,
) -> None:
    """Nobody waits for it: a process may be frozen while it holds a lock."""
    here = MachineState(tmp_path)
    here.count_caller("PA_1")
    command = [sys.executable, "-c", _HOLD, str(tmp_path / "phone-callers")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert b"held\n" == other.stdout.readline()

        during = here.count_caller("PA_2")

        other.communicate()

    assert (False, True) == (during, here.count_caller("PA_2"))


def test_a_room_that_a_frozen_process_holds_is_free_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its human would wait for as long as it stands still."""
    monkeypatch.setattr(machine_state, "_HELD_AT_MOST", 0.2)
    frozen, other = MachineState(tmp_path), MachineState(tmp_path)

    def is_free() -> bool:
        with other.hold_room("kitchen") as is_held:
            return is_held

    with frozen.hold_room("kitchen"):
        tries = [is_free()]
        for _ in range(30):
            time.sleep(0.01)
            tries.append(is_free())
        with MachineState(tmp_path).hold_room("kitchen") as of_one_who_comes_now:
            tries.append(of_one_who_comes_now)

    assert (False, False, True, False) == (tries[0], tries[5], tries[-2], tries[-1])


def test_a_room_that_was_held_when_it_was_tried_long_ago_is_not_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others have had it since, one after the other."""
    monkeypatch.setattr(machine_state, "_HELD_AT_MOST", 0.02)
    monkeypatch.setattr(machine_state, "_NEXT_TRY", 0.01)
    busy, other = MachineState(tmp_path), MachineState(tmp_path)

    tries = []
    with busy.hold_room("kitchen"):
        for _ in range(3):
            with other.hold_room("kitchen") as is_held:
                tries.append(is_held)
            time.sleep(0.02)

    assert [False] * 3 == tries
