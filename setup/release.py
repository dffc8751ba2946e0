"""`make release`: checks that a version may be released, and builds its wheel."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from setup import SetupError
from setup.progress import run, say

_HATCHLING = ".venv/bin/hatchling"


def reasons_against(version: str, changelog: str, notes: str, tags: Sequence[str]) -> list[str]:
    """Return why this version cannot be released yet.

    Args:
        version: Of token_server/__init__.py.
        changelog: CHANGELOG.md.
        notes: docs/upgrading.md.
        tags: The repository's.
    """
    heading = re.search(rf"^## {re.escape(version)} \((.*)\)$", changelog, re.MULTILINE)
    rules = {
        f"CHANGELOG.md has no section `## {version} (YYYY-MM-DD)`": heading is not None,
        f"CHANGELOG.md calls {version} {heading and heading[1]}: give it its date": (
            heading is None or re.fullmatch(r"\d{4}-\d{2}-\d{2}", heading[1]) is not None
        ),
        f"docs/upgrading.md has no notes `### {version}`": f"\n### {version}\n" in notes,
        f"the tag v{version} is there already: raise the version": f"v{version}" not in tags,
    }
    return [reason for reason, holds in rules.items() if not holds]


def main() -> int:
    """Check the checkout in the working directory, build the wheel; return the exit code.

    With --check nothing is built.
    """
    version = _version(Path("token_server/__init__.py").read_text())
    changelog, notes = (Path(name).read_text() for name in ("CHANGELOG.md", "docs/upgrading.md"))
    reasons = reasons_against(version, changelog, notes, _git("tag"))
    if _git("status", "--porcelain"):
        reasons.append("something is not committed")
    if reasons:
        sys.stderr.write("".join(f"release: {reason}\n" for reason in reasons))
        return 1
    if "--check" in sys.argv:
        return 0
    try:
        run("building the wheel", [_HATCHLING, "build", "--target", "wheel"])
    except SetupError as error:
        sys.stderr.write(f"release: {error}\n")
        return 1
    say(f"dist/ has version {version}. To name this commit: git tag v{version}")
    return 0


def _version(source: str) -> str:
    return source.partition('__version__ = "')[2].partition('"')[0]


def _git(*arguments: str) -> list[str]:
    git = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)  # noqa: S607 (the one on PATH)
    return git.stdout.splitlines()


if __name__ == "__main__":
    sys.exit(main())
