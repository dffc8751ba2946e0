"""What the processes of one machine share: locks per room, who is there, the last webhooks' times.

All of it saves work and decides nothing: without the folder (a full disk, say) everything goes on
as if each lock were free, and the look that finds a second dispatch or agent takes it away.
"""

import fcntl
import hashlib
import logging
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from token_server.state.members import Members
from token_server.state.webhook_signs import Sign
from token_server.telemetry.outage import Outage

logger = logging.getLogger(__name__)

# Rooms share this many lock files by hash: no file per room to clean up, and two rooms that
# share one only take turns.
_ROOM_LOCKS = 1024
# Seconds after which a room's lock that was taken whenever it was tried counts as free; and seconds
# at most from one try to the next. A frozen process keeps what it holds (members.py), and a look
# that LiveKit answers so late may have another one beside it.
_HELD_AT_MOST, _NEXT_TRY = 10.0, 1.0
# Phone callers that all processes know to be counted, and the bytes by which one is known.
_CALLERS = 4096
_MARK_BYTES = 8
# Notes of when an agent was last sent to a room: so many, by the room's hash, each a double.
_SENDINGS = 4096
_SENDING = struct.Struct("<d")
# Seconds between two notes of a sign; webhook_proof.py allows a webhook more (_ROOM_DUE).
_TOUCH_EVERY = 0.1


class MachineState:
    """A folder that all token servers of this user, machine and LiveKit share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Beside the folder: in it, other versions take nothing but files.
        self._members = Members(folder.with_name(f"{folder.name}-members"))
        self._signs = {sign: folder / f"{sign}-seen" for sign in Sign}
        self._next_touch: dict[Sign, float] = {}  # monotonic
        self._outage = Outage()
        # By the lock's number: when it was first found taken, and when last (monotonic).
        self._taken: dict[int, tuple[float, float]] = {}

    @contextmanager
    def hold_room(self, room_name: str) -> Iterator[bool]:
        """Hold a room's lock while in the block; False if another actor has it now."""
        number = _number_of(room_name) % _ROOM_LOCKS
        lock = file_lock(self._folder / f"room-{number}.lock")
        try:
            yield self._acquire(lock, number)
        finally:
            lock.release()

    @property
    def name(self) -> str:
        """This process: no other has this name."""
        return self._members.name

    def meet(self) -> frozenset[str]:
        """Say that this process is there, and return all of this machine; without a folder itself.

        Then each looks after all rooms.
        """
        try:
            return self._members.meet()
        except OSError as error:
            self._tell_outage(error)
            return frozenset({self.name})

    def part(self) -> None:
        """Say that this process is not there any more."""
        self._members.part()

    def resign(self) -> None:
        """Leave to the others what this process had."""
        self.part()

    def count_caller(self, participant_sid: str) -> bool:
        """Become the one that counts a phone caller; False if any process has counted them.

        One small file for all: a caller's mark has one of so many places, until another's takes it.
        """
        mark = hashlib.sha256(participant_sid.encode()).digest()[-_MARK_BYTES:]
        place = _number_of(participant_sid) % _CALLERS * _MARK_BYTES
        try:
            return self._exchange("phone-callers", place, mark) != mark
        except BlockingIOError:
            # Somebody counts a caller in this place at this moment: the same one, as a rule.
            return False
        except OSError:
            return True

    def note_sending(self, room_name: str) -> float:
        """Note that an agent is sent to a room now; return how many seconds ago one was last.

        One small file for all: two rooms that share a place only seem to have had one.
        Nothing that cannot be noted counts as long ago: without room on the disk it is 0.
        """
        place, now = _number_of(room_name) % _SENDINGS * _SENDING.size, time.time()
        try:
            before = self._exchange("sendings", place, _SENDING.pack(now))
        except OSError:
            return 0.0
        last = _SENDING.unpack(before)[0] if len(before) == _SENDING.size else 0.0
        return max(now - last, 0.0)

    def note_ending(self, room_name: str) -> None:
        """Note that a room has ended: whoever has made it is to ask before they send an agent."""
        self.note_sending(room_name)

    def beat(self) -> None:
        """Do nothing: the operating system knows who is alive."""

    def webhook_arrived(self, sign: Sign = Sign.ANY) -> None:
        """Remember a sign of LiveKit's webhooks; of several within a moment, the first."""
        now = time.monotonic()
        if now < self._next_touch.get(sign, now):
            return
        self._next_touch[sign] = now + _TOUCH_EVERY
        with suppress(OSError):
            self._signs[sign].touch()

    def webhook_last_arrived(self, sign: Sign = Sign.ANY) -> float:
        """Return when any process last saw this sign (Unix seconds); 0 if none has."""
        try:
            return self._signs[sign].stat().st_mtime
        except OSError:
            return 0.0

    def _exchange(self, name: str, place: int, content: bytes) -> bytes:
        """Write to a place in a file of the folder; return what was there, nothing at its end."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        with os.fdopen(os.open(self._folder / name, flags, 0o600), "r+b") as opened:
            file = opened.fileno()
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, len(content), place)
            before = os.pread(file, len(content), place)
            os.pwrite(file, content, place)
            return before

    def _acquire(self, lock: FileLock, number: int) -> bool:
        try:
            lock.acquire()
        except Timeout:
            return self._is_frozen(number)
        except (OSError, NotImplementedError) as error:
            self._tell_outage(error)
        self._taken.pop(number, None)
        return True

    def _is_frozen(self, number: int) -> bool:
        """Whether a lock that is taken was so for too long."""
        now = time.monotonic()
        since, last = self._taken.get(number, (now, now))
        since = since if now - last < _NEXT_TRY else now
        self._taken[number] = since, now
        return now - since > _HELD_AT_MOST

    def _tell_outage(self, error: Exception) -> None:
        if self._outage.begins():
            logger.warning("Locks do not work, going on without", exc_info=error)


def _number_of(room_name: str) -> int:
    return int.from_bytes(hashlib.sha256(room_name.encode()).digest()[:4])


def file_lock(path: Path) -> FileLock:
    """Return a lock between processes that is never waited for; it ends with its process."""
    return FileLock(
        path, timeout=0, thread_local=False, preserve_lock_file=True, fallback_to_soft=False
    )
