"""What the doctor prints and returns."""

import io
import json
import re
from pathlib import Path

import pytest

from token_server.cli.doctor.causes import CAUSES, as_table, with_table
from token_server.cli.doctor.checks import EXIT_CODES, Check, Finding, Trouble, ok, worst
from token_server.cli.doctor.here import Here
from token_server.cli.doctor.report import Report, verdict
from token_server.cli.doctor.steps import Start

ROOT = Path(__file__).parent.parent.parent.parent


def wrong(cause: str = "clock") -> Check:
    """Something that is wrong."""
    return Trouble(cause, "Do this.").wrong("clock", "It is wrong.")


def unknown() -> Check:
    """Something that could not be told."""
    return Trouble("redis", "Do that.").unknown("Redis", "Who knows.")


@pytest.mark.parametrize(
    ("checks", "finding"),
    [
        ([ok("a", "")], Finding.OK),
        ([ok("a", ""), unknown()], Finding.UNKNOWN),
        ([unknown(), wrong()], Finding.WRONG),
    ],
    ids=["well", "unknown", "wrong"],
)
def test_the_exit_code_says_the_worst(checks: list[Check], finding: Finding) -> None:
    """Scripts branch on it."""
    assert (finding, EXIT_CODES[finding]) == (worst(checks), EXIT_CODES[worst(checks)])


def test_a_terminal_gets_colours_and_a_file_does_not() -> None:
    """NO_COLOR and pipes."""
    shown = []
    for has_colours in (True, False):
        out = io.StringIO()
        Report(out, is_terminal=False, has_colours=has_colours).found(wrong())
        shown.append(out.getvalue())

    assert "\033[1;31m✗\033[0m clock" in shown[0]
    assert (
        "  ✗ clock         It is wrong.\n                  → Do this.\n"
        "                      token-server doctor\n"
    ) == shown[1]


def test_a_terminal_shows_what_is_being_done_and_no_line_is_too_long() -> None:
    """15 s of silence look like a hang."""
    out = io.StringIO()
    report = Report(out, is_terminal=True, has_colours=False)

    report.doing("waiting for the agent")
    report.found(ok("a", "word " * 60))

    shown = out.getvalue()
    assert shown.startswith("\r\033[K  … waiting for the agent, 0 s\r\033[K  ✓ a ")
    assert max(map(len, shown.splitlines())) <= 110


def test_each_command_stands_on_a_line_of_its_own_and_is_never_broken() -> None:
    """They are copied."""
    out, line = io.StringIO(), f"echo '{'x' * 120}' >> .env"
    report = Report(out, is_terminal=True, has_colours=False, here=Here(programs=".venv/bin/"))

    report.found(Trouble("clock", "Do this.", (line, Start.WORKER)).wrong("clock", ""))

    ends = [shown.strip() for shown in out.getvalue().splitlines()[-2:]]
    assert [line, ".venv/bin/python -m agent start"] == ends
    assert ends[1] in json.loads(report.as_json())["checks"][0]["commands"]


def test_the_verdict_names_what_is_wrong() -> None:
    """It is what is left on the screen."""
    assert [
        "All well.",
        "Wrong: clock; do what the arrow says. Could not tell: Redis.",
    ] == [verdict([ok("a", "")]), verdict([wrong(), unknown()])]


def named_causes() -> set[str]:
    """Every cause that a sentence of the doctor has."""
    files = [*(ROOT / "token_server/cli/doctor").glob("*.py")]
    files.append(ROOT / "token_server/keeper/absence_reasons.py")
    return {
        cause
        for file in files
        for cause in re.findall(r'(?:Trouble\(\s*|cause=)"([^"]+)"', file.read_text())
    }


def test_every_cause_has_its_row() -> None:
    """Who reads the JSON looks the cause up."""
    assert sorted(named_causes()) == sorted(cause.name for cause in CAUSES)


def test_the_page_has_the_table_of_the_code() -> None:
    """`python -m setup.doctor_page` writes it; a hand that changes one is seen here."""
    page = (ROOT / "docs/doctor.md").read_text()

    assert as_table() in page
    assert with_table(page.replace(CAUSES[0].means, "")) == page
