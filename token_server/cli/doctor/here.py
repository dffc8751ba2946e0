"""How commands are typed in this folder. No I/O."""

import re
from pathlib import Path

# Ours, behind variables perhaps, as cures have them.
_COMMAND = re.compile(
    r"`(?:[A-Z_]+=(?:'[^']*'|\S)+ )*(?=token-server |python -m agent)|(?<=\$\()(?=token-s)"
)

# The same at the beginning of a line.
_LINE = re.compile(
    r"^(?:[A-Z_]+=(?:'[^']*'|\S)+ )*(?=token-server |python -m |gunicorn )|(?<=\$\()(?=token-s)"
)


def programs_folder(found: str | None, python: Path, folder: Path) -> str:
    """Return what stands before our commands' names: "" where the PATH leads to them.

    Args:
        found: Where the PATH has `python`; None if it has none.
        python: The one that runs.
        folder: Where the command was typed.
    """
    ours = python.parent
    if found and Path(found).parent == ours:
        return ""
    return f"{ours.relative_to(folder) if ours.is_relative_to(folder) else ours}/"


def as_typed(text: str, programs: str) -> str:
    """Return a cure whose commands can be typed as they stand.

    Args:
        text: The cure.
        programs: What stands before our commands' names.
    """
    return _COMMAND.sub(lambda found: f"{found[0]}{programs}", text)


def as_command(line: str, programs: str) -> str:
    """Return a shell line that can be typed as it stands; the arguments are as above."""
    return _LINE.sub(lambda found: f"{found[0]}{programs}", line)
