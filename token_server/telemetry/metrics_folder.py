"""The folder in which gunicorn's processes count together; imports no prometheus_client.

That one chooses when it is imported whether it counts into files, so the folder has to be there,
and named in the environment, before. Every process maps its files into memory: where the disk
is full a write would kill it, so their space is taken beforehand, or nothing is shared.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, MutableMapping
from contextlib import suppress
from pathlib import Path

from token_server.temporary_folders import MEMORY, temporary_places

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
# prometheus_client's names, each with the process's number.
_GAUGES = ("gauge_livesum", "gauge_livemax", "gauge_livemin")
_KINDS = ("counter", "histogram", *_GAUGES)
# Bytes: what prometheus_client gives a file at first, and more than all our series take.
FILE_SIZE = 1 << 16


def share(environ: MutableMapping[str, str]) -> bool:
    """Make the folder for the processes to be forked and name it; False if there is no room."""
    # In memory first, where a slow disk cannot hold a request up.
    folder = make_folder([MEMORY, *temporary_places()])
    environ.pop(VARIABLE, None)
    if folder:
        environ[VARIABLE] = str(folder)
    return folder is not None


def take_part(environ: MutableMapping[str, str], process_id: int | str) -> bool:
    """Make this process count into the folder; False if it cannot and counts for itself."""
    if VARIABLE not in environ:
        return False
    try:
        take_space(Path(environ[VARIABLE]), process_id)
    except OSError:
        del environ[VARIABLE]
        return False
    return True


def make_folder(places: Iterable[Path]) -> Path | None:
    """Make a fresh folder for this process and those it forks; None if no place has room.

    What a process left that was killed is removed: it holds no lock any more.
    """
    for place in places:
        prefix = f"livekit-token-server-metrics-{os.getuid()}-"
        with suppress(OSError):
            for left in place.glob(f"{prefix}*"):
                _remove_unless_used(left)
            _try_out(place)
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
            # Never closed: the lock lasts as long as this process or one that it forked.
            fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX)
            return folder
    return None


def _try_out(place: Path) -> None:
    """Fill and remove a file; OSError if there is no room for one process's."""
    with tempfile.TemporaryFile(dir=place, buffering=0) as file:
        for _ in _KINDS:
            file.write(bytes(FILE_SIZE))


def take_space(folder: Path, process_id: int | str) -> None:
    """Make a process's files, and fill them with zeros.

    Raises:
        OSError: There is no room for them.
    """
    for kind in _KINDS:
        path = folder / f"{kind}_{process_id}.db"
        if not path.exists():
            path.write_bytes(bytes(FILE_SIZE))


def forget_process(folder: Path, process_id: int | str) -> None:
    """Drop what a process that has ended has no more: its gauges. What it counted stays."""
    for kind in _GAUGES:
        (folder / f"{kind}_{process_id}.db").unlink(missing_ok=True)


def remove_folder(folder: Path) -> None:
    """Remove the folder with all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)


def _remove_unless_used(folder: Path) -> None:
    with suppress(OSError):
        # Anybody may have put anything there: to open a named pipe may take for ever.
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(handle).st_uid != os.getuid():
                return
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_folder(folder)
        finally:
            os.close(handle)
