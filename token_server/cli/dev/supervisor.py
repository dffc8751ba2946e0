"""The children: started together, watched, and ended together whatever happens.

Threads and signal handlers only put into a queue what is to be done; the main thread does it.
"""

import math
import queue
import signal
import subprocess
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from token_server.cli.dev.guardian import Guardian, signal_groups
from token_server.cli.dev.output import SYSTEM, Printer, show
from token_server.cli.dev.plan import LIVEKIT, Child

_TICK_SECONDS = 0.1
_GRACE_SECONDS = 1.0
_TAIL_LINES = 12
_PATIENCE_SECONDS = 2.0
# From when the stop was asked for, and from when the first child has stopped, to SIGKILL.
_STOP_SECONDS = 7.0
_REST_SECONDS = 5.0


@dataclass(frozen=True)
class Death:
    """A child that ended though nobody had asked it to."""

    name: str
    exit_code: int
    last_lines: Sequence[str]


def to_ask(running: AbstractSet[str], asked: Mapping[str, int], seconds: float) -> list[str]:
    """Return which children get a SIGTERM now: LiveKit last, so that others can leave their rooms.

    Args:
        running: Names of the children that have not ended.
        asked: How many SIGTERMs each has got.
        seconds: How long ago the stop began.
    """
    # To the worker and to LiveKit a second SIGTERM says: do not wait for calls to end.
    wanted = 1 if seconds < _PATIENCE_SECONDS else 2
    names = running - {LIVEKIT} or running
    return [name for name in names if asked.get(name, 0) < (2 if name == LIVEKIT else wanted)]


class Supervisor:
    """Runs children until one dies or somebody asks to stop, and leaves none behind."""

    def __init__(
        self,
        children: Sequence[Child],
        read_line: Callable[[str, str], None],
        stack_file: Path | None = None,
    ) -> None:
        """Prepare.

        Args:
            children: What to run; each has another name.
            read_line: Called in the main thread with the name of a child and a line that it wrote.
            stack_file: What must not stay behind, whatever becomes of this process.
        """
        self._stack_file = stack_file
        self._children = children
        self._read_line = read_line
        self._printer = Printer([child.name for child in children])
        self._to_do = queue.SimpleQueue[Callable[[], None]]()
        self._tails = {child.name: deque[str](maxlen=_TAIL_LINES) for child in children}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._death: Death | None = None
        self._stopping_since: float | None = None
        self._kill_at = math.inf
        self._asked = Counter[str]()

    def run(self) -> Death | None:
        """Run until somebody asks to stop or a child dies; then nothing of it runs any more."""
        self._listen_to_signals()
        guardian = Guardian(self._stack_file)
        try:
            for child in self._children:
                guardian.watch_over(self._start(child))
            while self._running:
                self._turn()
        finally:
            guardian.end_all()
        return self._death

    def say(self, text: str) -> None:
        """Print something of ours between the children's lines; from any thread."""
        self._to_do.put(partial(show, text))

    def _listen_to_signals(self) -> None:
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # not under nohup
            numbers.append(signal.SIGHUP)
        for number in numbers:
            # Of Python's queues this is the one whose put() a signal may interrupt.
            signal.signal(number, lambda n, _: self._to_do.put(partial(self._signalled, n)))

    def _start(self, child: Child) -> int:
        process = subprocess.Popen(  # noqa: S602 (a Procfile's lines are the shell's)
            child.command,
            shell=True,
            env=child.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._running[child.name] = process
        self._announce(f"{child.name} started (pid={process.pid})")
        threading.Thread(target=self._follow, args=(child.name, process), daemon=True).start()
        return process.pid

    def _follow(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Report the end of a child, after its last line, though others may hold its output open.

        A worker that was killed would go unnoticed while one of its job processes lives.
        """
        reader = threading.Thread(target=self._read, args=(name, process), daemon=True)
        reader.start()
        exit_code = process.wait()
        reader.join(_GRACE_SECONDS)
        signal_groups([process.pid], signal.SIGKILL)
        reader.join(_GRACE_SECONDS)
        self._to_do.put(partial(self._ended, name, exit_code))

    def _read(self, name: str, process: subprocess.Popen[bytes]) -> None:
        for raw in process.stdout or ():
            line = raw.decode(errors="replace").removesuffix("\n")
            self._to_do.put(partial(self._wrote, name, line))

    def _turn(self) -> None:
        """Do the next thing that is to be done; wait for it for a tenth of a second."""
        self._go_on_stopping()
        try:
            self._to_do.get(timeout=_TICK_SECONDS)()
        except queue.Empty:
            pass
        except OSError:  # nobody reads us any more, as in `make dev | head`
            self._stop(_STOP_SECONDS)

    def _wrote(self, name: str, line: str) -> None:
        self._tails[name].append(line)
        self._read_line(name, line)
        self._printer.print(name, line)

    def _signalled(self, number: int) -> None:
        self._stop(_STOP_SECONDS)
        self._printer.print(SYSTEM, f"{signal.Signals(number).name} received")

    def _ended(self, name: str, exit_code: int) -> None:
        del self._running[name]
        if self._stopping_since is None:
            self._death = Death(name, exit_code, [*self._tails[name]])
        self._stop(_REST_SECONDS)
        self._printer.print(SYSTEM, f"{name} stopped (rc={exit_code})")

    def _stop(self, within_seconds: float) -> None:
        now = time.monotonic()
        self._stopping_since = self._stopping_since or now
        self._kill_at = min(self._kill_at, now + within_seconds)

    def _go_on_stopping(self) -> None:
        if self._stopping_since is None:
            return
        seconds = time.monotonic() - self._stopping_since
        for name in to_ask(self._running.keys(), self._asked, seconds):
            self._asked[name] += 1
            # Not the group: the worker ends its job processes itself, each in order.
            self._running[name].send_signal(signal.SIGTERM)
        if time.monotonic() > self._kill_at:
            self._kill_at = math.inf
            for name, process in self._running.items():
                self._announce(f"sending SIGKILL to {name} (pid {process.pid})")
                signal_groups([process.pid], signal.SIGKILL)

    def _announce(self, text: str) -> None:
        self._to_do.put(partial(self._printer.print, SYSTEM, text))
