"""A version that is released is one that people can read about."""

import re
import tomllib

import pytest

from setup.release import reasons_against
from tests.processes import ROOT
from token_server import __version__

CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
NOTES = (ROOT / "docs/upgrading.md").read_text()


def test_the_version_has_its_section_and_its_notes() -> None:
    """Whoever raises the one writes the others; `unreleased` is right until then."""
    dated = CHANGELOG.replace("(unreleased)", "(2026-01-02)")

    assert [] == reasons_against(__version__, dated, NOTES, tags=[])


@pytest.mark.parametrize(
    ("changelog", "notes", "tags", "reason"),
    [
        ("## 1.2.2 (2026-01-02)", "\n### 1.2.3\n", [], "has no section `## 1.2.3 "),
        ("## 1.2.3 (unreleased)", "\n### 1.2.3\n", [], "calls 1.2.3 unreleased"),
        ("## 1.2.3 (2026-01-02)", "\n### 1.2.2\n", [], "has no notes `### 1.2.3`"),
        ("## 1.2.3 (2026-01-02)", "\n### 1.2.3\n", ["v1.2.3"], "the tag v1.2.3 is there"),
    ],
    ids=["no section", "no date", "no notes", "twice"],
)
def test_a_version_nobody_can_read_about_is_not_released(
    changelog: str, notes: str, tags: list[str], reason: str
) -> None:
    """Each for itself, in words that say what to mend."""
    (found,) = reasons_against("1.2.3", changelog, notes, tags)

    assert reason in found


def test_versions_go_down_the_changelog() -> None:
    """The newest is the first, and it is the package's."""
    versions = re.findall(r"^## (\d+)\.(\d+)\.(\d+) ", CHANGELOG, re.MULTILINE)
    numbers = [tuple(map(int, version)) for version in versions]

    assert sorted(numbers, reverse=True) == numbers
    assert __version__ == ".".join(versions[0])


def test_the_version_is_written_down_once() -> None:
    """pyproject.toml reads it from the package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert ["version"] == project["project"]["dynamic"]
