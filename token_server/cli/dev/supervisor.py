"""The children under honcho: started together, watched, and ended together whatever happens."""

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from honcho.manager import Manager
from honcho.process import Popen

from token_server.cli.dev.guardian import Guardian, end_groups
from token_server.cli.dev.output import DevPrinter, our_message
from token_server.cli.dev.plan import LIVEKIT, Child

_GRACE_SECONDS = 1.0
_TAIL_LINES = 12
# honcho kills what is left 5 s after the *first* child has stopped; this is for when none stops.
_STOP_SECONDS = 7.0
_PATIENCE_SECONDS = 2.0
_START_SECONDS = 5.0


def open_child(command: str, **options: Any) -> Any:  # noqa: ANN401 (honcho has no types)
    """Start a child as honcho does, and end what is left of its group when it has ended.

    honcho takes a child for running as long as anybody holds its output open: a worker that was
    killed would go unnoticed while one of its job processes lives.
    """
    child = Popen(command, **options)
    threading.Thread(target=_end_group, args=(child,), daemon=True).start()
    return child


def _end_group(child: Any) -> None:  # noqa: ANN401 (honcho has no types)
    child.wait()
    time.sleep(_GRACE_SECONDS)
    with contextlib.suppress(OSError):
        os.killpg(child.pid, signal.SIGKILL)


class ObservedQueue:
    """Hands messages on to honcho's loop, and shows each to somebody else first."""

    def __init__(self, events: Any, saw: Callable[[Any], None], tick: Callable[[], None]) -> None:  # noqa: ANN401 (honcho has no types)
        """Wrap honcho's queue.

        Args:
            events: honcho's `multiprocessing.Queue`.
            saw: Called with each message.
            tick: Called about ten times a second, before each wait for a message.
        """
        self._events = events
        self._saw = saw
        self._tick = tick

    def get(self, *, timeout: float) -> Any:  # noqa: ANN401 (honcho has no types)
        """Return the next message; queue.Empty after `timeout` seconds, as honcho expects."""
        self._tick()
        message = self._events.get(timeout=timeout)
        self._saw(message)
        return message

    def put(self, message: Any) -> None:  # noqa: ANN401 (honcho has no types)
        """Add a message; from any thread."""
        self._events.put(message)

    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[Any]]:
        """Become the plain queue where honcho's own processes are spawned (macOS), not forked."""
        return _itself, (self._events,)


def _itself(events: Any) -> Any:  # noqa: ANN401 (honcho has no types)
    return events


@dataclass(frozen=True)
class Death:
    """A child that ended though nobody had asked it to."""

    name: str
    exit_code: int
    last_lines: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class ChildListener:
    """Who wants to know what happens; called in the main thread.

    Attributes:
        started: All children run.
        line: A child, by name, has printed a line.
    """

    started: Callable[[], None]
    line: Callable[[str, str], None]


class Supervisor(Manager):  # type: ignore[misc]  # honcho has no types
    """honcho's manager, which also knows who died first and never leaves a process behind."""

    events: Any  # honcho's, wrapped
    returncode: int | None  # honcho's: set by a signal, or by the first child that stops

    def __init__(self, children: Sequence[Child], listener: ChildListener) -> None:
        super().__init__(DevPrinter())
        self.events = ObservedQueue(self.events, self._saw, self._go_on_stopping)
        self.death: Death | None = None
        self._listener = listener
        self._groups: dict[str, int] = {}
        self._guardian: Guardian | None = None
        self._stopped: set[str] = set()
        self._asked: Counter[str] = Counter()
        self._stopping_since = 0.0
        self._tails = {child.name: deque[str](maxlen=_TAIL_LINES) for child in children}
        for child in children:
            process = self.add_process(child.name, child.command, env=dict(child.environ))
            process._child_ctor = open_child  # noqa: SLF001 (honcho has no public way)

    def run(self) -> Death | None:
        """Run until somebody asks to stop or a child dies; then nothing of it runs any more."""
        self._stop_when_the_terminal_closes()
        try:
            # OSError: nobody reads us any more, as in `make dev | head`.
            with contextlib.suppress(OSError):
                self.loop()
        finally:
            self._end_all()
        return self.death

    def say(self, text: str) -> None:
        """Print something of ours between the children's lines; from any thread."""
        self.events.put(our_message(text))

    def terminate(self) -> None:
        """Ask all children to stop, as soon as their process ids are known."""
        self._stopping_since = self._stopping_since or time.monotonic()
        self._go_on_stopping()

    def _go_on_stopping(self) -> None:
        """LiveKit last, so that the others can leave their rooms; nobody gets much time."""
        if not self._stopping_since or not self._has_started():
            return
        seconds = time.monotonic() - self._stopping_since
        running = self._groups.keys() - self._stopped
        # To the worker and to LiveKit a second SIGTERM says: do not wait for calls to end.
        wanted = 1 if seconds < _PATIENCE_SECONDS else 2
        for name in running - {LIVEKIT} or running:
            if self._asked[name] < (2 if name == LIVEKIT else wanted):
                self._asked[name] += 1
                # Not the group: the worker ends its job processes itself, each in order.
                with contextlib.suppress(OSError):
                    os.kill(self._groups[name], signal.SIGTERM)
        if seconds > _STOP_SECONDS:
            self.kill()

    def _stop_when_the_terminal_closes(self) -> None:
        def stop(number: int, _: object) -> None:
            self.returncode = 128 + number
            self.terminate()

        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # not under nohup
            signal.signal(signal.SIGHUP, stop)

    def _has_started(self) -> bool:
        return len(self._groups) == len(self._tails)

    def _saw(self, message: Any) -> None:  # noqa: ANN401 (honcho has no types)
        match message.type:
            case "start":
                self._groups[message.name] = message.data["pid"]
                if self._has_started():
                    self._guardian = Guardian([*self._groups.values()], _helpers())
                    self._listener.started()
            case "line" if message.name in self._tails:
                line = message.data.decode(errors="replace").rstrip()
                self._tails[message.name].append(line)
                self._listener.line(message.name, line)
            case "stop":
                self._stopped.add(message.name)
                if self.returncode is None and self.death is None:
                    last_lines = [*self._tails[message.name]]
                    self.death = Death(message.name, message.data["returncode"], last_lines)

    def _end_all(self) -> None:
        with contextlib.suppress(queue.Empty):
            while not self._has_started():
                self.events.get(timeout=_START_SECONDS)
        end_groups([*self._groups.values()], _helpers())
        if self._guardian:
            self._guardian.dismiss()


def _helpers() -> list[int]:
    """Return honcho's own processes, which read the children's output."""
    return [process.pid for process in multiprocessing.active_children() if process.pid]
