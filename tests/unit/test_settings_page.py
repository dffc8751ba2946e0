"""docs/settings.md has every setting, and README.md words its eight as they are worded there."""

import re

from agent.settings import AgentSettings
from tests.processes import ROOT
from token_server.settings import Settings

README = (ROOT / "README.md").read_text()
_, ALL_SETTINGS, *_ = re.split(r"^## ", (ROOT / "docs/settings.md").read_text(), flags=re.MULTILINE)
FIRST_CELL = re.compile(r"^\| (`.+?) \|", re.MULTILINE)
ROW = re.compile(r"^\| ((?:`[A-Z_]+` ?)+) \| (.+?) \| (.*?) ?\|$", re.MULTILINE)


def rows(page: str) -> dict[str, tuple[str, str]]:
    """Return a page's settings: for each first cell of a table its meaning and its default."""
    without_links = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", page)
    return {names: (meaning, default) for names, meaning, default in ROW.findall(without_links)}


def test_every_setting_is_in_the_tables_once() -> None:
    """Who reads the reference looks nowhere else."""
    known = {
        field.alias for model in (Settings, AgentSettings) for field in model.model_fields.values()
    }

    told = [name for row in FIRST_CELL.findall(ALL_SETTINGS) for name in names(row)]

    assert [] == sorted({name for name in told if told.count(name) > 1})
    assert set() == known - set(told)


def test_the_readme_has_eight_settings_in_the_words_of_the_reference() -> None:
    """Two wordings of one setting are two rules, of which one will be wrong."""
    readme, reference = rows(README), rows(ALL_SETTINGS)

    assert 8 == sum(len(names(row)) for row in readme)
    for row, (meaning, default) in readme.items():
        assert reference[row][0].startswith(meaning)
        assert reference[row][1] == default


def names(row: str) -> list[str]:
    """Return the variables of a row's first cell."""
    return re.findall(r"`([A-Z_]+)`", row)
