"""The results as tables: on the terminal, in Markdown, and as JSON. No I/O."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter

from bench.figures import Row, Section

ToTable = Callable[[Sequence[Sequence[str]]], Iterator[str]]


@dataclass(frozen=True, kw_only=True)
class _Page:
    """How sections are written: their tables, their headings, and which of them have a chart."""

    to_table: ToTable
    heading: str = ""
    charts: Collection[str] = ()


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything one run has measured.

    Attributes:
        measured_on: The date, ISO 8601.
        machine: One line (machine.py).
        is_quick: Whether it was only a first answer.
        sections: What was measured.
    """

    # A figure that is missing is infinitely bad, and JSON has no such number.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_inf_nan="strings")

    measured_on: str
    machine: str
    is_quick: bool
    sections: tuple[Section, ...]

    @property
    def missed(self) -> list[str]:
        """What has not reached its bar."""
        rows = [row for section in self.sections for row in section.rows]
        return [row.what for row in rows if row.held and not row.held.holds]

    def added_to(self, older: "Result") -> "Result":
        """Return the older run with what this one has measured anew, in the older one's order.

        Not a first answer to a whole run: else this one alone.
        """
        if older.is_quick != self.is_quick:
            return self
        sections = {section.key: section for section in (*older.sections, *self.sections)}
        return replace(self, sections=tuple(sections.values()))


_RESULT = TypeAdapter(Result)


def to_terminal(result: Result) -> str:
    """Return tables of aligned columns."""
    return "\n".join(("", result.machine, *_sections(result, _Page(to_table=_to_aligned))))


def to_markdown(result: Result, charts: Collection[str]) -> str:
    """Return the page for docs/; `charts` are the keys of the sections that have one."""
    effort = "a quick run (`QUICK=1 make bench`)" if result.is_quick else "`make bench`"
    when = f"Measured on {result.measured_on} by {effort}, servers and clients on one machine:"
    head = ("# Benchmarks", "", when, "", *_numbered(_machines(result)))
    page = _Page(to_table=_to_markdown_table, heading="## ", charts=charts)
    return "\n".join((*head, *_sections(result, page), ""))


def to_json(result: Result) -> str:
    """Return everything as JSON: what the tables say, and the figures behind it, unrounded."""
    return _RESULT.dump_json(result, indent=1).decode() + "\n"


def from_json(text: str) -> Result:
    """Read what `to_json` has written."""
    return _RESULT.validate_json(text)


def to_markdown_table(section: Section) -> str:
    """Return the table alone, for another page."""
    return "\n".join(_to_markdown_table(_lines(section)))


def _lines(section: Section) -> list[Sequence[str]]:
    """Return the table's head and its rows."""
    has_bars = any(row.held for row in section.rows)
    head = ("", *section.columns, *(("bar", "") if has_bars else ()))
    return [head, *(_cells(row, has_bars=has_bars) for row in section.rows)]


def _numbered(lines: Sequence[str]) -> Sequence[str]:
    return [f"{n}. {line}" for n, line in enumerate(lines, start=1)] if len(lines) > 1 else lines


def _machines(result: Result) -> list[str]:
    """Return what was measured on, each once, this run's first."""
    return list(dict.fromkeys((result.machine, *(each.machine for each in result.sections))))


def _sections(result: Result, page: _Page) -> Iterator[str]:
    machines = _machines(result)
    for section in result.sections:
        how = section.how
        number = machines.index(section.machine) + 1
        where = f", machine {number}" if number > 1 else ""
        if where or section.measured_on != result.measured_on:
            how += f" Measured on {section.measured_on}{where}."
        yield from ("", f"{page.heading}{section.title}", "", how, "")
        yield from page.to_table(_lines(section))
        if section.key in page.charts:
            yield from ("", f"![{section.title}](benchmarks/{section.key}.svg)")


def _cells(row: Row, *, has_bars: bool) -> tuple[str, ...]:
    held = row.held
    verdict = (str(held.bar), "holds" if held.holds else "MISSED") if held else ("", "")
    return (row.what, *(cell.text for cell in row.cells), *(verdict if has_bars else ()))


def _to_aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()


def _to_markdown_table(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    head, *rows = lines
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join(' --- ' for _ in head)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
