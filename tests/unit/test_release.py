"""A version that is released is one that people can read about."""

import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest

from setup.release import dated_versions, numbers, reasons_against, with_date, with_version
from tests.processes import ROOT, clean_environ
from token_server import __version__

CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
NOTES = (ROOT / "docs/upgrading.md").read_text()
NEWS = "# Changelog\n\n## Unreleased\n\n- New.\n"
OLD = "\n## 1.2.2 - 2026-01-01\n\n- Old.\n"
NOTED = "\n### Unreleased\n"
PAGES = {"CHANGELOG.md": NEWS, "docs/upgrading.md": NOTED}


def test_the_version_has_its_news_and_its_notes() -> None:
    """Whoever changes something writes both; the release itself needs nobody's hand."""
    newest = max(dated_versions(CHANGELOG), default=())
    is_new = numbers(__version__) > newest

    assert [] == reasons_against(__version__, CHANGELOG, NOTES, tags=[]) or not is_new


@pytest.mark.parametrize(
    ("changelog", "notes", "tags", "reason"),
    [
        (f"# Changelog\n\n## Unreleased\n{OLD}", NOTED, [], "has nothing under `## Unreleased`"),
        (NEWS + OLD, "\n### 1.2.2\n", [], "has no notes `### Unreleased`"),
        (NEWS + OLD, NOTED, ["v1.2.3"], "the tag v1.2.3 is there"),
        (NEWS + OLD.replace("1.2.2", "1.2.3"), NOTED, [], "1.2.3 is not above 1.2.3"),
        (NEWS + OLD.replace("1.2.2", "1.10.0"), NOTED, [], "1.2.3 is not above 1.10.0"),
    ],
    ids=["no news", "no notes", "twice", "not raised", "lower"],
)
def test_a_version_nobody_can_read_about_is_not_released(
    changelog: str, notes: str, tags: list[str], reason: str
) -> None:
    """Each for itself, in words that say what to mend."""
    (found,) = reasons_against("1.2.3", changelog, notes, tags)

    assert reason in found


def test_what_is_unreleased_becomes_the_version() -> None:
    """With its day; the heading stays for what comes next, and the section below it as it was."""
    changelog = with_date(NEWS + OLD, "1.2.3", date(2026, 1, 2))

    head, _, rest = changelog.partition("\n## 1.2.3 - 2026-01-02\n")
    assert ("# Changelog\n\n## Unreleased\n", f"\n- New.\n{OLD}") == (head, rest)
    assert "\n### 1.2.3\n" == with_version(NOTED, "1.2.3")


def test_what_git_refuses_is_said_in_its_words(tmp_path: Path) -> None:
    """No repository, no name to commit by, no key to sign with: an exit code told nobody which."""
    for name, text in {"token_server/__init__.py": '__version__ = "1.2.3"\n', **PAGES}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "setup.release", "--check"],
        cwd=tmp_path,
        env=clean_environ() | {"PYTHONPATH": str(ROOT), "GIT_DIR": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, True) == (done.returncode, done.stderr.startswith("release: git tag failed: fatal"))


def test_a_release_that_broke_off_goes_on() -> None:
    """The date is written once; what is left to do is the tag."""
    once = with_date(NEWS + OLD, "1.2.3", date(2026, 1, 2))

    assert once == with_date(once, "1.2.3", date(2026, 1, 3))
    assert [] == reasons_against("1.2.3", once, "\n### 1.2.3\n", [])


def test_versions_go_down_the_changelog() -> None:
    """The newest is the first, and none is newer than the package."""
    versions = dated_versions(CHANGELOG)

    assert sorted(versions, reverse=True) == versions
    assert [] == [each for each in versions if each > numbers(__version__)]
    assert len(re.findall(r"^## ", CHANGELOG, re.MULTILINE)) == len(versions) + 1


def test_the_version_is_written_down_once() -> None:
    """pyproject.toml reads it from the package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert ["version"] == project["project"]["dynamic"]


def test_a_library_is_named_by_its_own_pages() -> None:
    """Not by whoever hands it out."""
    hosts = set(re.findall(r"\]\(https?://(?:www\.)?([^./)]+)", CHANGELOG))

    assert set() == hosts & {"pypi", "npmjs"}
