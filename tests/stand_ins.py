"""Programs that are not here, or must not run here: each writes down how it was called."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.processes import ROOT, clean_environ

_SCRIPT = """#!/bin/sh
for word in "{name}" "$@"; do printf '%s\\0' "$word" >> {calls}; done
printf '\\n' >> {calls}
"""


def calls_of(command: str, programs: Sequence[str], folder: Path) -> list[list[str]]:
    """Run a command in a shell, with these programs replaced; return how they were called."""
    calls = folder / "calls"
    for name in programs:
        program = folder / name
        program.write_text(_SCRIPT.format(name=name, calls=calls))
        program.chmod(0o755)
    environ = clean_environ()
    environ["PATH"] = f"{folder}{os.pathsep}{environ['PATH']}"
    subprocess.run(["/bin/sh", "-e", "-c", command], cwd=ROOT, env=environ, check=True, timeout=30)
    return [line.rstrip("\0").split("\0") for line in calls.read_text().splitlines()]
