"""README.md and docs/ are read in an evening: how long their prose is, and how a page ends."""

import re

import pytest

from tests.processes import ROOT
from tests.snippets import pages

# What one looks things up in.
REFERENCE = {
    "docs/benchmarks.md",
    "docs/livekit-behaviour.md",
    "docs/metrics.md",
    "docs/settings.md",
}
PROSE = [page for page in pages() if page not in REFERENCE]
WORDS = 10_000
_FENCED = re.compile(r"^( *)```.*?^\1```$", re.DOTALL | re.MULTILINE)


def words(page: str) -> int:
    """Count the words of a page outside of its blocks; the doctor's tables are made from code."""
    lines = _FENCED.sub("", (ROOT / page).read_text()).splitlines()
    is_table = "docs/doctor.md" == page
    return sum(len(line.split()) for line in lines if not (is_table and line.startswith("|")))


def test_the_pages_are_read_in_an_evening() -> None:
    """Nobody can tell what to skip in a book."""
    assert WORDS >= sum(map(words, PROSE))


@pytest.mark.parametrize("page", sorted({*PROSE, *REFERENCE} - {"docs/benchmarks.md"}))
def test_a_page_ends_with_what_to_read_next(page: str) -> None:
    """A reader is not to be left standing."""
    end = (ROOT / page).read_text().rstrip().rpartition("\n\n")[2]

    assert re.search(r"(^|\. )Next: .*\]\(", end, re.DOTALL)
