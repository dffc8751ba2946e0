"""The results as tables: on the terminal, in Markdown, and as JSON. No I/O."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.figures import Row, Section

ToTable = Callable[[Sequence[Sequence[str]]], Iterator[str]]
_COLUMNS = ("what", "p50 ms", "p95 ms", "per s", "ratio", "bar", "")
_VERDICTS = {True: "holds", False: "MISSED", None: ""}


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything one run has measured.

    Attributes:
        measured_on: The date, ISO 8601.
        machine: One line (machine.py).
        is_quick: Whether it was only a first answer.
        sections: What was measured.
    """

    measured_on: str
    machine: str
    is_quick: bool
    sections: tuple[Section, ...]

    @property
    def missed(self) -> list[str]:
        """What has not reached its bar."""
        return [row.what for section in self.sections for row in section.rows if row.holds is False]


def to_terminal(result: Result) -> str:
    """Return tables of aligned columns."""
    return "\n".join(("", result.machine, *_sections(result, _to_aligned)))


def to_markdown(result: Result) -> str:
    """Return the page for docs/."""
    effort = "a quick run (`QUICK=1 make bench`)" if result.is_quick else "`make bench`"
    when = f"Measured on {result.measured_on} by {effort}, servers and clients on one machine:"
    head = ("# Benchmarks", "", when, "", result.machine)
    return "\n".join((*head, *_sections(result, _to_markdown_table, title="## "), ""))


def to_json(result: Result) -> str:
    """Return the figures as JSON: what the tables say, unrounded."""
    document = {
        "measured_on": result.measured_on,
        "machine": result.machine,
        "is_quick": result.is_quick,
        "sections": [
            {"title": section.title, "rows": [_to_dict(row) for row in section.rows]}
            for section in result.sections
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _to_dict(row: Row) -> dict[str, object]:
    fields = {
        "what": row.what,
        "p50_ms": row.p50_ms,
        "p95_ms": row.p95_ms,
        "per_second": row.per_second,
        "ratios": row.compared.ratio.rounds if row.compared else None,
        "ratio_of": row.compared.what if row.compared else None,
        "bar": str(row.bar) if row.bar else None,
        "holds": row.holds,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _sections(result: Result, to_table: ToTable, title: str = "") -> Iterator[str]:
    for section in result.sections:
        table = to_table([_COLUMNS, *map(_cells, section.rows)])
        yield from ("", f"{title}{section.title}", "", section.how, "", *table)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.what,
        f"{row.p50_ms:,.1f}",
        f"{row.p95_ms:,.1f}",
        f"{row.per_second:,.0f}" if row.per_second else "",
        f"{row.compared.ratio} {row.compared.what}" if row.compared else "",
        str(row.bar) if row.bar else "",
        _VERDICTS[row.holds],
    )


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
