"""Runs `token-server` in a process of its own that need not import everything first.

One process a test run has imported what the commands need; each command is a copy of it (fork),
with the environment that it is given. That takes a twentieth of the processor time of a start.
"""

import contextlib
import io
import multiprocessing
import os
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

_IMPORTED = [
    "token_server.cli.__main__",
    "token_server.cli.doctor.examination",
    "token_server.cli.doctor.redis_ping",
    "livekit.rtc",
    __name__,
]
_context = multiprocessing.get_context("forkserver")


def run_quickly(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    folder: Path | None = None,
    seconds: float = 60,
) -> tuple[int, str, str]:
    """Run a command to its end; return its exit code, and what it printed on both outputs.

    In this folder, or in the one where the first command of a test run was run.
    """
    _context.set_forkserver_preload(_IMPORTED)
    ours, its = _context.Pipe(duplex=False)
    process = _context.Process(target=_run, args=(its, arguments, dict(environ), folder))
    process.start()
    its.close()
    with ours:
        try:
            assert ours.poll(seconds), f"not within {seconds} s: {arguments}"
            code, printed, errors = ours.recv()
        finally:
            process.kill()
            process.join()
    return int(code), str(printed), str(errors)


def _run(
    told: Connection, arguments: Sequence[str], environ: Mapping[str, str], folder: Path | None
) -> None:
    from token_server.cli.__main__ import main  # noqa: PLC0415 (in the other process only)

    if folder:
        os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    tempfile.tempdir = None  # what was imported may have looked for it: TMPDIR is another now
    printed, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
        code = main(arguments)
    told.send((code, printed.getvalue(), errors.getvalue()))
