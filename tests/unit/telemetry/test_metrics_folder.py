"""The folder in which several processes count together."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from token_server.telemetry.metrics_folder import (
    FILE_SIZE,
    VARIABLE,
    forget_process,
    make_folder,
    remove_folder,
    share,
    take_part,
)


def folder_in(place: Path) -> Path:
    """Make a folder; fail if there is none."""
    folder = make_folder([place])
    assert folder
    return folder


def test_the_folder_is_fresh_and_private(tmp_path: Path) -> None:
    """Counts of an earlier run are not ours, and nobody else adds to ours."""
    first, second = folder_in(tmp_path), folder_in(tmp_path)

    assert (True, 0o700, []) == (
        first != second,
        stat.S_IMODE(first.stat().st_mode),
        list(first.iterdir()),
    )


def test_a_folder_that_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """They are in memory: kill -9 a hundred times, and there would be none left."""
    code = (
        "import os, pathlib, sys; from token_server.telemetry.metrics_folder import make_folder;"
        "print(make_folder([pathlib.Path(sys.argv[1])]), flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], check=False, capture_output=True, text=True
    )
    left = Path(killed.stdout.strip())
    assert left.is_dir()
    running = folder_in(tmp_path)

    folder_in(tmp_path)

    assert (False, True) == (left.exists(), running.exists())


@pytest.mark.parametrize("what", ["a named pipe", "a link", "a file", "somebody else's folder"])
def test_what_others_have_put_there_neither_blocks_nor_is_removed(
    tmp_path: Path, what: str
) -> None:
    """Anybody may write to /dev/shm, and to open a named pipe may take for ever."""
    left = tmp_path / f"livekit-token-server-metrics-{os.getuid()}-left"
    if what == "a named pipe":
        os.mkfifo(left)
    elif what == "a link":
        (tmp_path / "theirs").mkdir()
        left.symlink_to(tmp_path / "theirs")
    elif what == "a file":
        left.touch()
    else:
        left.mkdir()
        # Only root can give a folder away; to another user this one is theirs to keep.
        if os.getuid() == 0:
            os.chown(left, 12345, 12345)

    folder = folder_in(tmp_path)

    is_removed = what == "somebody else's folder" and os.getuid() != 0
    assert (True, not is_removed) == (folder.is_dir(), os.path.lexists(left))


def test_where_one_place_has_no_room_the_next_is_taken(tmp_path: Path) -> None:
    """Not every system has /dev/shm."""
    folder = make_folder([tmp_path / "missing", tmp_path])

    assert folder
    assert tmp_path == folder.parent


def test_without_any_room_nothing_is_shared(tmp_path: Path) -> None:
    """Tokens are issued all the same."""
    assert None is make_folder([tmp_path / "missing"])


def test_a_folder_that_somebody_else_named_is_not_used() -> None:
    """Other programs of this machine may use the same variable."""
    environ = {VARIABLE: "/somewhere/else"}

    assert share(environ)

    folder = Path(environ[VARIABLE])
    assert (True, "livekit-token-server-metrics-") == (folder.is_dir(), folder.name[:29])
    remove_folder(folder)
    assert not folder.exists()


def test_the_space_is_taken_before_anything_counts(tmp_path: Path) -> None:
    """A write into a mapped file that the disk has no room for kills the process."""
    environ = {VARIABLE: str(tmp_path)}

    assert take_part(environ, 17)

    found = {path.name: path.stat() for path in tmp_path.iterdir()}
    kinds = {"counter", "gauge_livemax", "gauge_livemin", "gauge_livesum", "histogram"}
    assert {f"{kind}_17.db" for kind in kinds} == found.keys()
    assert [(FILE_SIZE, True)] * 5 == [
        (file.st_size, file.st_blocks * 512 >= FILE_SIZE) for file in found.values()
    ]


def test_a_process_number_that_is_used_again_keeps_what_was_counted(tmp_path: Path) -> None:
    """Counters that go backwards look like a restart to Prometheus."""
    (tmp_path / "counter_17.db").write_bytes(b"counts")

    take_part({VARIABLE: str(tmp_path)}, 17)

    assert b"counts" == (tmp_path / "counter_17.db").read_bytes()


@pytest.mark.parametrize("environ", [{}, {VARIABLE: "/nowhere/at/all"}], ids=["none", "gone"])
def test_a_process_without_room_counts_for_itself(environ: dict[str, str]) -> None:
    """prometheus_client reads the variable, and must not find a folder that it cannot use."""
    assert (False, {}) == (take_part(environ, os.getpid()), environ)


def test_a_process_that_ended_leaves_its_counters_but_no_gauge(tmp_path: Path) -> None:
    """The rooms it followed are not followed any more; the tokens it issued were issued."""
    for number in (17, 170):
        take_part({VARIABLE: str(tmp_path)}, number)

    forget_process(tmp_path, 17)
    forget_process(tmp_path, 99)

    gauges = sorted(path.name for path in tmp_path.glob("gauge*"))
    left = [f"gauge_{kind}_170.db" for kind in ("livemax", "livemin", "livesum")]
    assert (left, 4) == (gauges, len(list(tmp_path.glob("[ch]*"))))
