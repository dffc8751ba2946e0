"""Where the processes of one machine meet."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.environ import settings
from token_server.start_warnings import start_warnings
from token_server.state.machine_state import MachineState
from token_server.state.shared_folder import SharedFolder, find_shared_folder
from token_server.temporary_folders import temporary_places

URL, KEY = "ws://livekit.example", "devkey"


def shared_folder(
    url: str, key: str, places: Callable[[], Iterable[Path]] = temporary_places
) -> Path:
    """Where it is."""
    return find_shared_folder(url, key, places).path


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_processes_of_one_livekit_share_a_folder(temp: Path) -> None:
    """And those of another, or with another key, do not."""
    folders = {shared_folder(*row) for row in ((URL, KEY), (URL, KEY), (URL, "k"), ("ws://x", KEY))}

    assert (3, True) == (len(folders), all(folder.is_relative_to(temp) for folder in folders))


def test_the_folder_is_private(temp: Path) -> None:
    """Other users of the machine could hold our locks."""
    folder = shared_folder(URL, KEY)

    modes = {stat.S_IMODE(found.stat().st_mode) for found in (folder, folder.parent)}
    assert ({0o700}, temp) == (modes, folder.parent.parent)


def test_where_one_place_has_no_room_the_next_is_taken(tmp_path: Path) -> None:
    """A disk is full, or mounted read-only."""
    (tmp_path / "file").touch()

    folder = shared_folder(URL, KEY, lambda: [tmp_path / "file", tmp_path])

    assert (True, True) == (folder.is_dir(), folder.is_relative_to(tmp_path))


def test_where_no_place_has_room_nothing_can_be(tmp_path: Path) -> None:
    """The server starts all the same, and each lock is as if it were free."""
    (tmp_path / "file").touch()

    folder = shared_folder(URL, KEY, lambda: [tmp_path / "file"])

    with pytest.raises(NotADirectoryError):
        folder.mkdir(parents=True)


def intrude(place: Path, how: str) -> None:
    """Put something in a place before we come."""
    if how == "a file":
        place.touch()
    elif how == "a named pipe":
        os.mkfifo(place)
    elif how == "a dangling link":
        place.symlink_to(place.parent / "nothing")
    elif how == "a link":
        (place.parent / "theirs").mkdir(mode=0o700)
        place.symlink_to(place.parent / "theirs")
    else:
        place.mkdir()
        place.chmod(0o755)


FOLDERS = ["an open folder", "a link", "a file", "a dangling link", "a named pipe"]


@pytest.mark.parametrize("how", FOLDERS)
@pytest.mark.parametrize("which", ["of all", "of one LiveKit"])
def test_what_others_have_put_in_its_place_is_not_used(temp: Path, how: str, which: str) -> None:
    """Nor does it keep the server from starting, or its processes from meeting."""
    before = shared_folder(URL, KEY)
    place = before.parent if which == "of all" else before
    place.rename(temp / "away")
    intrude(place, how)

    first, second = find_shared_folder(URL, KEY), find_shared_folder(URL, KEY)

    folder = first.path
    assert (False, 0o700) == (folder.is_relative_to(place), stat.S_IMODE(folder.stat().st_mode))
    assert first == second
    assert [] == list(temp.rglob("theirs/*"))
    (trouble,) = first.troubles
    assert trouble.startswith(f"{place} is ")


@pytest.mark.parametrize("how", ["an open folder", "a link", "a dangling link", "a named pipe"])
@pytest.mark.parametrize(
    "name", ["room-1.lock", "redis-silence.lock", "webhook-seen", "timeline.sqlite", "anything"]
)
def test_a_folder_with_anything_but_files_is_not_used(temp: Path, how: str, name: str) -> None:
    """A named pipe may block whoever opens it."""
    before = shared_folder(URL, KEY)
    intrude(before / name, how)

    found = find_shared_folder(URL, KEY)

    assert (False, temp) == (found.path.is_relative_to(before.parent), found.path.parent.parent)
    (trouble,) = found.troubles
    assert trouble.startswith(f"{before}/")


def test_the_files_of_our_processes_are_no_trouble(temp: Path) -> None:
    """They are there after each restart."""
    before = shared_folder(URL, KEY)
    (before / "timeline.sqlite").touch()
    with MachineState(before).hold_room("kitchen") as has_it:
        after = find_shared_folder(URL, KEY)

    assert (True, SharedFolder(before), True) == (has_it, after, before.is_relative_to(temp))


def test_where_others_have_taken_every_name_nothing_is_shared(temp: Path) -> None:
    """And it is said so, once for each."""
    for number in range(20):
        suffix = f"-{number}" if number else ""
        (temp / f"livekit-token-server-{os.getuid()}{suffix}").touch()

    found = find_shared_folder(URL, KEY, lambda: [temp])

    lines = start_warnings(settings(HOST="127.0.0.1"), found)
    assert (False, len(found.troubles)) == (found.is_real, len(lines))
    assert all(line.endswith("share nothing instead") for line in lines)
