"""docs/livekit-behaviour.md and what cites it: each number is there, and each test it names."""

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.processes import ROOT

PAGE = ROOT / "docs/livekit-behaviour.md"
# The page shows how to cite, and this test how not to.
NOT_CITING = {PAGE, ROOT / "tests/unit" / Path(__file__).name}
NOT_BUILT_ON = "## Not built on yet"

CITATION = re.compile(r"livekit-behaviour (\d+(?:, \d+)*)\)")
# Not where its file is meant.
MENTION = re.compile(r"livekit-behaviour(?!\.md)")
ENTRY = re.compile(r"^(\d+)\. \*\*", re.MULTILINE)
REFERENCE = re.compile(r"\((\d+(?:, \d+)*)\)")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
# How notes were cited that are not in this repository.
OLD_CITATION = re.compile(r"(?<!\w)\(facts\b|\bfacts,? \d|\bfacts\.md", re.IGNORECASE)


def numbers(found: str) -> list[int]:
    """Return the numbers of one citation."""
    return [int(number) for number in found.split(", ")]


def entries(text: str) -> list[int]:
    """Return the numbers of the entries in a text, in its order."""
    return [int(number) for number in ENTRY.findall(text)]


TEXT = PAGE.read_text()
ENTRIES = entries(TEXT)


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """Return the text of each tracked file that may cite, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 (the one on PATH)
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(errors="replace")
        for path in paths
        if path.is_file() and path not in NOT_CITING
    }


@pytest.fixture(scope="module")
def cited(files: dict[str, str]) -> list[tuple[str, int]]:
    """Return each number that is cited, with where."""
    return [
        (path, number)
        for path, text in files.items()
        for found in CITATION.findall(text)
        for number in numbers(found)
    ]


def test_each_number_that_is_cited_is_on_the_page(cited: list[tuple[str, int]]) -> None:
    """A comment that leads nowhere is worse than none."""
    assert [] == [(path, number) for path, number in cited if number not in ENTRIES]
    assert len(cited) >= 50


def test_all_citations_are_written_in_one_way(files: dict[str, str]) -> None:
    """One that is broken over two lines would be found by no search and checked by no test."""
    odd = {
        path: len(MENTION.findall(text)) - len(CITATION.findall(text))
        for path, text in files.items()
    }

    assert {} == {path: count for path, count in odd.items() if count}


def test_each_number_on_the_page_is_there_once_and_in_order() -> None:
    """Within a section Markdown counts by itself: after a gap it would show other numbers."""
    sections = [entries(section) for section in TEXT.split("\n## ")]

    assert sorted(set(ENTRIES)) == ENTRIES
    assert [] == [pair for one in sections for pair in pairwise(one) if pair[1] != pair[0] + 1]


def test_entries_lead_to_each_other() -> None:
    """One names another by its number in brackets."""
    named = {number for found in REFERENCE.findall(TEXT) for number in numbers(found)}

    assert named
    assert set() == named - set(ENTRIES)


def test_the_story_of_dispatch_leads_to_entries() -> None:
    """It tells in a sentence what an entry tells with its proof."""
    story = (ROOT / "docs/how-dispatch-works.md").read_text()

    named = {number for found in REFERENCE.findall(story) for number in numbers(found)}

    assert named
    assert set() == named - set(ENTRIES)


def test_something_rests_on_each_entry(cited: list[tuple[str, int]]) -> None:
    """What nobody cites any more goes from the page; what is to come has a section of its own."""
    rested_on, is_split, _ = TEXT.partition(NOT_BUILT_ON)

    assert is_split
    assert [] == sorted(set(entries(rested_on)) - {number for _, number in cited})


def test_each_test_that_the_page_names_is_there() -> None:
    """It asks a real server what the page says."""
    named = TEST.findall(TEXT)

    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or f"def {name}(" not in (ROOT / path).read_text()
    ]

    assert ([], TEXT.count("::")) == (missing, len(named))


def test_nothing_is_cited_that_is_not_in_the_repository(files: dict[str, str]) -> None:
    """The rules were once in notes that only their authors have."""
    assert [] == [path for path, text in files.items() if OLD_CITATION.search(text)]
