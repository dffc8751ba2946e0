"""Tables of the benchmarks in other pages of docs/: between two comments, and never by hand."""

import re
from collections.abc import Iterable
from pathlib import Path

from bench.figures import Section
from bench.report import to_markdown_table

_TABLE = re.compile(r"(<!-- bench: (?P<key>[\w-]+) -->\n).*?(<!-- end of bench -->)", re.DOTALL)


def pages_with_tables(docs: Path) -> list[Path]:
    """Return the pages that have such tables."""
    return [page for page in sorted(docs.glob("*.md")) if _TABLE.search(page.read_text())]


def with_tables(page: str, sections: Iterable[Section]) -> str:
    """Return the page with the tables of these sections; those of others stay as they are."""
    tables = {section.key: to_markdown_table(section) for section in sections}

    def replaced(found: re.Match[str]) -> str:
        table = tables.get(found["key"])
        return found[0] if table is None else f"{found[1]}\n{table}\n\n{found[3]}"

    return _TABLE.sub(replaced, page)
