"""The house: packages, the arrow between them, and the sizes that keep it readable."""

import re
import tomllib
from itertools import pairwise

from tests.processes import ROOT

SOURCES = ROOT / "token_server"
FOLDERS = (SOURCES, ROOT / "agent", ROOT / "shared_settings")
PAGE = (ROOT / "docs/architecture.md").read_text()
LAYERS = next(
    contract["layers"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    if contract["type"] == "layers"
)


def test_the_picture_shows_the_arrow_that_is_checked() -> None:
    """Whoever reads the page believes its picture, and the linter checks the other one."""
    rank = {
        name: number for number, layer in enumerate(LAYERS) for name in re.findall(r"\w+", layer)
    }
    drawn = re.search(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
    assert drawn
    plain = re.sub(r'\w+\["([^"]+)"\]', lambda box: box[1].replace(", ", "+"), drawn[1])
    chains = [re.split(r"\s*-->\s*", line.strip()) for line in plain.splitlines()[1:]]
    names = {"wsgi": "gunicorn_conf+wsgi", "settings": "environment+settings+errors"}
    arrows = [
        (upper, lower)
        for chain in chains
        for first, second in pairwise(chain)
        for upper in names.get(first, first).split("+")
        for lower in names.get(second, second).split("+")
    ]

    assert [] == [pair for pair in arrows if not rank[pair[0]] < rank[pair[1]]]
    packages = {path.parent.name for path in SOURCES.glob("*/__init__.py")}
    assert packages <= {name for pair in arrows for name in pair}


def test_a_file_is_one_idea() -> None:
    """Up to about 250 lines; who needs more asks whether it is still one."""
    files = [path for folder in FOLDERS for path in folder.rglob("*.py")]
    long = {path.name for path in files if len(path.read_text().splitlines()) > 300}

    assert set() == long
    assert len(list(SOURCES.glob("*.py"))) <= 12


def test_a_package_says_what_it_is_for() -> None:
    """Its first line is what a newcomer reads of it, and the page has a row for it."""
    packages = [*SOURCES.glob("*/__init__.py"), ROOT / "shared_settings/__init__.py"]
    silent = [path.parent.name for path in packages if not path.read_text().startswith('"""')]
    unknown = [path.parent.name for path in packages if f"`{path.parent.name}/`" not in PAGE]

    assert ([], []) == (silent, unknown)


def test_what_the_page_names_is_there() -> None:
    """A module that was moved is looked for in vain."""
    named = set(re.findall(r"[`\"]([\w/]+\.py)[`\"<]", PAGE))
    folders = (*FOLDERS, ROOT / "tests")
    there = [f"/{path.relative_to(ROOT)}" for folder in folders for path in folder.rglob("*.py")]
    gone = [name for name in named if not any(path.endswith(f"/{name}") for path in there)]

    assert [] == gone
