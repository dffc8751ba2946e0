"""`make lock`: the files with the versions and hashes that are installed, made by uv.

What is pinned stays as it is while pyproject.toml allows it; `--upgrade` takes the newest.
"""

import sys

from setup import SetupError
from setup.progress import run

_UV = ".venv/bin/uv"
_COMPILE = "pip compile --generate-hashes --python-version 3.11 --universal pyproject.toml"
# In this order: the later ones have the versions of the first.
LOCKS = {
    "requirements.txt": f"{_COMPILE} --all-extras -o requirements.txt",
    "deploy/requirements-web.txt": (
        f"{_COMPILE} -c requirements.txt -o deploy/requirements-web.txt"
    ),
    "requirements-dev.txt": (
        f"{_COMPILE} --all-extras --group dev -c requirements.txt -o requirements-dev.txt"
    ),
}


def pins(text: str) -> dict[str, str]:
    """Return what a file pins: each `name==version`, and the hashes that are allowed."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if "==" in line:
            name = line.split()[0]  # what follows says on which machines
            found[name] = ""
        elif line.startswith("    --hash="):
            found[name] += line.strip(" \\") + "\n"
    return found


def main() -> int:
    """Make all of them in the working directory; return the exit code."""
    try:
        for name, command in LOCKS.items():
            run(f"resolving {name}", [_UV, *command.split(), "--quiet", *sys.argv[1:]])
    except SetupError as error:
        sys.stderr.write(f"lock: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
