"""The fenced blocks of README.md and docs/*.md, for the tests that run them.

A test module lists the blocks that it runs in a module-level `RUNS`, best as what it parametrizes
its test with. tests/unit/test_snippets.py fails for a block that no module lists.
"""

import re
from dataclasses import dataclass
from io import StringIO
from textwrap import dedent

from dotenv import dotenv_values

from tests.processes import ROOT

_FENCED = re.compile(r"^( *)```(\w*)[^\n`]*\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, order=True)
class Snippet:
    """One fenced block: its page, relative to the checkout, the line it starts at, its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """Be what a test's id and a failure show."""
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """Return the pages whose blocks have to be run."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path.relative_to(ROOT).as_posix() for path in found]


def snippets(page: str, *languages: str) -> list[Snippet]:
    """Return a page's blocks, of these languages or of all."""
    text = (ROOT / page).read_text()
    found = [
        Snippet(page, text.count("\n", 0, block.start()) + 1, block[2], dedent(block[3]).rstrip())
        for block in _FENCED.finditer(text)
    ]
    return [snippet for snippet in found if not languages or snippet.language in languages]


def snippet(page: str, words: str) -> Snippet:
    """Return the one block of a page that contains these words."""
    found = [snippet for snippet in snippets(page) if words in snippet.text]
    assert len(found) == 1, f"{len(found)} blocks of {page} contain {words!r}"
    return found[0]


def settings_in(snippet: Snippet) -> dict[str, str]:
    """Return the environment that an `ini` block describes."""
    found = dotenv_values(stream=StringIO(snippet.text))
    return {name: value or "" for name, value in found.items()}
