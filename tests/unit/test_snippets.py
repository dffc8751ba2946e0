"""What README.md and docs/ show is run by a test, and what they link to is there."""

import importlib
import re
from collections.abc import Iterator

import pytest

from tests.processes import ROOT
from tests.snippets import Snippet, pages, snippets

# Drawn, not run.
PICTURES = {"mermaid"}


def runs() -> Iterator[Snippet]:
    """Return all blocks that test modules say they run."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if re.search(r"^RUNS\b", path.read_text(), re.MULTILINE):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield from importlib.import_module(name).RUNS


@pytest.mark.parametrize("page", pages())
def test_each_block_is_run_by_a_test(page: str) -> None:
    """A command that no test runs is one that will be wrong."""
    shown = {snippet for snippet in snippets(page) if snippet.language not in PICTURES}

    assert [] == [str(snippet) for snippet in sorted(shown - set(runs()))]


@pytest.mark.parametrize("page", pages())
def test_blocks_are_fenced(page: str) -> None:
    """What is only indented no test would find; an odd fence would hide all that follows it."""
    text = (ROOT / page).read_text()

    indented = re.findall(r"(?:^|\n)\n    \S.*", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    fences = re.findall(r"^ *```", text, re.MULTILINE)
    assert ([], 2 * len(snippets(page))) == (indented, len(fences))


@pytest.mark.parametrize("page", pages())
def test_links_lead_somewhere(page: str) -> None:
    """A file that moved, a heading that was renamed."""
    targets = re.findall(r"\]\((?!https?:)([^)\s]+)\)", (ROOT / page).read_text())

    assert [] == [target for target in targets if not leads_somewhere(page, target)]


def leads_somewhere(page: str, target: str) -> bool:
    """Tell whether a relative link's file exists and has the heading that it names."""
    path, _, heading = target.partition("#")
    found = (ROOT / page).parent / path if path else ROOT / page
    return found.exists() and (not heading or heading in anchors(found.read_text()))


def anchors(text: str) -> set[str]:
    """Return what GitHub calls a page's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
