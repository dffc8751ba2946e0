"""Where the processes of one machine meet."""

import stat
import tempfile
from pathlib import Path

import pytest

from token_server.locks import shared_folder

URL, KEY = "ws://livekit.example", "devkey"


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
    """The server starts all the same, and each lock is as if it were free (test_locks.py)."""
    (tmp_path / "file").touch()

    folder = shared_folder(URL, KEY, lambda: [tmp_path / "file"])

    with pytest.raises(NotADirectoryError):
        folder.mkdir(parents=True)


def intrude(place: Path, how: str) -> None:
    """Put something in the folder's place before we come."""
    if how == "a file":
        place.touch()
    elif how == "a dangling link":
        place.symlink_to(place.parent / "nothing")
    elif how == "a link":
        (place.parent / "theirs").mkdir(mode=0o700)
        place.symlink_to(place.parent / "theirs")
    else:
        place.mkdir()
        place.chmod(0o755)


@pytest.mark.parametrize("how", ["an open folder", "a link", "a file", "a dangling link"])
def test_what_others_have_put_in_its_place_is_not_used(temp: Path, how: str) -> None:
    """Nor does it keep the server from starting."""
    place = shared_folder(URL, KEY).parent
    place.rename(temp / "away")
    intrude(place, how)

    folder = shared_folder(URL, KEY)

    assert (False, 0o700) == (folder.is_relative_to(place), stat.S_IMODE(folder.stat().st_mode))
    assert [] == list(temp.glob("theirs/*"))
