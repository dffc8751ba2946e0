"""Where the processes of one machine can meet. The disk may be full, or not ours to write to."""

import tempfile
from contextlib import suppress
from pathlib import Path

# In memory, where Linux has it: no disk can be full or slow there.
MEMORY = Path("/dev/shm")  # noqa: S108 (whoever writes there makes a folder for this user only)


def temporary_places() -> list[Path]:
    """Return the folders for temporary files, the usual one first, if there is room in it."""
    places = [MEMORY]
    with suppress(OSError):
        # It writes a file to find out.
        places.insert(0, Path(tempfile.gettempdir()))
    return places
