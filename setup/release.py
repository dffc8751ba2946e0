"""`make release`: gives a version its date, its wheel and its tag.

It publishes nothing.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from setup import SetupError
from setup.progress import run, say

_HATCHLING = ".venv/bin/hatchling"
_CHANGELOG, _NOTES = Path("CHANGELOG.md"), Path("docs/upgrading.md")
_UNRELEASED = "Unreleased"
_SECTION = re.compile(r"^## (\d+)\.(\d+)\.(\d+) - \d{4}-\d{2}-\d{2}$", re.MULTILINE)


def reasons_against(version: str, changelog: str, notes: str, tags: Sequence[str]) -> list[str]:
    """Return why this version cannot be released yet.

    Args:
        version: Of token_server/__init__.py.
        changelog: CHANGELOG.md.
        notes: docs/upgrading.md.
        tags: The repository's.
    """
    before = max(dated_versions(changelog), default=())
    has_news, has_date = bool(_news(changelog)), before == numbers(version)
    rules = {
        f"the tag v{version} is there already: raise the version": f"v{version}" not in tags,
        f"{version} is not above {'.'.join(map(str, before))} of CHANGELOG.md: raise the version": (
            numbers(version) > before or (has_date and not has_news)
        ),
        f"CHANGELOG.md has nothing under `## {_UNRELEASED}`": has_news or has_date,
        f"docs/upgrading.md has no notes `### {_UNRELEASED}`, nor `### {version}`": (
            f"\n### {_UNRELEASED}\n" in notes or f"\n### {version}\n" in notes
        ),
    }
    return [reason for reason, holds in rules.items() if not holds]


def dated_versions(changelog: str) -> list[tuple[int, ...]]:
    """Return the versions that have a date, in the order of the file."""
    return [tuple(map(int, found)) for found in _SECTION.findall(changelog)]


def numbers(version: str) -> tuple[int, ...]:
    """Return a version as versions are compared."""
    return tuple(map(int, version.split(".")))


def with_date(changelog: str, version: str, day: date) -> str:
    """Return the changelog with what is unreleased under the version; as it is if that is done."""
    if not _news(changelog):
        return changelog
    head = f"## {_UNRELEASED}\n"
    return changelog.replace(head, f"{head}\n## {version} - {day.isoformat()}\n", 1)


def with_version(notes: str, version: str) -> str:
    """Return the notes on upgrading with what is unreleased under the version."""
    return notes.replace(f"\n### {_UNRELEASED}\n", f"\n### {version}\n", 1)


def main() -> int:
    """Release the checkout in the working directory; return the exit code.

    With --check nothing is changed.
    """
    try:
        return _release()
    except SetupError as error:
        return _refuse([str(error)])


def _release() -> int:
    version = _version(Path("token_server/__init__.py").read_text())
    reasons = reasons_against(version, _CHANGELOG.read_text(), _NOTES.read_text(), _git("tag"))
    if _git("status", "--porcelain"):
        reasons.append("something is not committed")
    if reasons:
        return _refuse(reasons)
    if "--check" in sys.argv:
        return 0
    wheel = _build(version)
    _commit(version, datetime.now(UTC).date())
    say(f"{wheel} is built and this commit is v{version}. To publish: git push --follow-tags")
    return 0


def _build(version: str) -> Path:
    """Build the wheel and return where it is.

    Raises:
        SetupError: It could not be built, or pyproject.toml gives it another version.
    """
    wheel = Path(f"dist/livekit_token_server-{version}-py3-none-any.whl")
    wheel.unlink(missing_ok=True)
    run("building the wheel", [_HATCHLING, "build", "--target", "wheel"])
    if not wheel.is_file():
        raise SetupError(f"there is no {wheel}: pyproject.toml has another version")
    return wheel


def _commit(version: str, day: date) -> None:
    """Write the version down, and name the commit."""
    _CHANGELOG.write_text(with_date(_CHANGELOG.read_text(), version, day))
    _NOTES.write_text(with_version(_NOTES.read_text(), version))
    if _git("status", "--porcelain"):
        _git("commit", "--quiet", "--message", f"Release {version}", str(_CHANGELOG), str(_NOTES))
    _git("tag", "--annotate", "--message", f"Release {version}", f"v{version}")


def _refuse(reasons: Sequence[str]) -> int:
    sys.stderr.write("".join(f"release: {reason}\n" for reason in reasons))
    return 1


def _news(changelog: str) -> str:
    """Return what stands under `## Unreleased`."""
    section = changelog.partition(f"\n## {_UNRELEASED}\n")[2]
    return re.split(r"^## ", section, maxsplit=1, flags=re.MULTILINE)[0].strip()


def _version(source: str) -> str:
    return source.partition('__version__ = "')[2].partition('"')[0]


def _git(*arguments: str) -> list[str]:
    """Return the lines that git answers.

    Raises:
        SetupError: It failed; the text has its words.
    """
    git = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)  # noqa: S607 (the one on PATH)
    if git.returncode:
        raise SetupError(f"git {arguments[0]} failed: {git.stderr.strip()}")
    return git.stdout.splitlines()


if __name__ == "__main__":
    sys.exit(main())
