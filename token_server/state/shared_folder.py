"""The folder in which the processes of one machine meet: ours alone, whatever others put there."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from token_server.temporary_folders import temporary_places

# So many names are tried in each place. All processes try them in the same order, and meet again.
_NAMES = 8


@dataclass(frozen=True)
class SharedFolder:
    """Where it is, and what stood in the way; without any good place, where nothing can be."""

    path: Path
    troubles: tuple[str, ...] = ()

    @property
    def is_real(self) -> bool:
        """Whether there is one."""
        return self.path.parent != Path(os.devnull)


class _NotOursError(Exception):
    """Somebody else put it there before us, or has left it open: nothing is shared with them."""


def find_shared_folder(
    livekit_url: str, api_key: str, places: Callable[[], Iterable[Path]] = temporary_places
) -> SharedFolder:
    """Return this machine's folder for one LiveKit, private to this user; it is made if need be.

    It is in the first of the places that has room for it.
    """
    server = fingerprint(livekit_url, api_key)
    troubles: list[str] = []
    for place in places():
        try:
            path = _first_good(place, server, troubles)
        except OSError as error:
            troubles.append(f"{place} has no room for a folder ({error.strerror})")
        else:
            if path:
                return SharedFolder(path, tuple(troubles))
    return SharedFolder(Path(os.devnull, server), tuple(troubles))


def _first_good(place: Path, server: str, troubles: list[str]) -> Path | None:
    for number in range(_NAMES):
        suffix = f"-{number}" if number else ""
        try:
            return _folder_in(place / f"livekit-token-server-{os.getuid()}{suffix}", server)
        except _NotOursError as error:
            troubles.append(str(error))
    return None


def _folder_in(parent: Path, server: str) -> Path:
    _make_private(parent)
    _make_private(parent / server)
    with os.scandir(parent / server) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # SQLite's come and go
                _check_file(entry)
    return parent / server


def _check_file(entry: "os.DirEntry[str]") -> None:
    # To open a named pipe may take for ever; a link leads elsewhere.
    found = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
        raise _NotOursError(_says(Path(entry), found, "a file"))


def _make_private(folder: Path) -> None:
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise _NotOursError(_says(folder, found, "a private folder"))


def _says(path: Path, found: os.stat_result, wanted: str) -> str:
    is_now = f"{stat.filemode(found.st_mode)} of user {found.st_uid}"
    return f"{path} is {is_now}, not {wanted} of user {os.getuid()}"


def fingerprint(livekit_url: str, api_key: str) -> str:
    """Return a name for one LiveKit: who has the same shares with us."""
    return hashlib.sha256(f"{livekit_url} {api_key}".encode()).hexdigest()[:16]
