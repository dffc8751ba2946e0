"""Commands that take long, with a sign of life: elapsed seconds and the last line they printed."""

import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from setup import SetupError

_TAIL_LINES = 25
_LINE_WIDTH = 100
_TERMINAL_SECONDS = 0.5
_LOG_SECONDS = 10.0


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(f"setup: {text}\n")
    sys.stdout.flush()


def run(
    title: str,
    command: Sequence[str],
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> None:
    """Run a command to its end, showing that it lives.

    Raises:
        SetupError: It failed; the text has the title and its last lines.
    """
    say(f"{title} ...")
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        env=environ,
        cwd=folder,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    reader = threading.Thread(target=_read, args=(process, tail), daemon=True)
    reader.start()
    try:
        _show_life(reader, tail, started)
    finally:
        process.terminate()  # nothing, unless we were interrupted
    if code := process.wait():
        said = "\n".join(f"    {line}" for line in tail)
        raise SetupError(f"{title} failed (exit code {code}):\n{said}")
    say(f"{title}: done in {time.monotonic() - started:.0f} s")


def _read(process: subprocess.Popen[str], tail: deque[str]) -> None:
    for line in process.stdout or ():
        if text := line.strip():
            tail.append(text)


def _show_life(reader: threading.Thread, tail: Sequence[str], started: float) -> None:
    """Until the output ends: redraw one line on a terminal, print one now and then elsewhere."""
    on_terminal = sys.stdout.isatty()
    reader.join(_TERMINAL_SECONDS if on_terminal else _LOG_SECONDS)
    while reader.is_alive():
        status = f"    {time.monotonic() - started:.0f} s  {tail[-1] if tail else ''}"[:_LINE_WIDTH]
        sys.stdout.write(f"\r\033[K{status}" if on_terminal else f"{status}\n")
        sys.stdout.flush()
        reader.join(_TERMINAL_SECONDS if on_terminal else _LOG_SECONDS)
    if on_terminal:
        sys.stdout.write("\r\033[K")
