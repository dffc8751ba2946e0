"""The table of the doctor's causes, and what its bars are held to."""

from bench.doctor.table import Outcome, to_sections

CURED = Outcome("clock", "behind", seconds_until_named=0.1, seconds_until_cured=1.5)
OUTSIDE = Outcome(
    "job-died", "raises", seconds_until_named=8, seconds_until_cured=6, is_outside=True
)
NOT_CURED = Outcome("redis", "gone", seconds_until_named=2)


def test_a_cause_that_is_not_cured_misses_the_bar_and_says_so() -> None:
    """A row among fifty that says NO is not seen."""
    (section,) = to_sections([CURED, OUTSIDE, NOT_CURED])

    rows = [[row.what, *(cell.text for cell in row.cells)] for row in section.rows]
    missed = [row.what for row in section.rows if row.held and not row.held.holds]
    assert ["cured"] == missed
    assert rows == [
        ["`clock`", "behind", "0.1", "yes", "1.5"],
        ["`job-died`", "raises", "8.0", "by others", "6.0"],
        ["`redis`", "gone", "2.0", "NO", ""],
        ["named", "3 of 3", "", "", ""],
        ["cured", "2 of 3", "", "", ""],
    ]


def test_a_line_on_the_terminal_has_all_of_an_outcome() -> None:
    """A run takes minutes, and somebody watches."""
    assert "redis (gone): named 2.0 s, cured NO, green never" == NOT_CURED.in_words
