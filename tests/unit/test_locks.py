"""The files with versions and hashes are those of pyproject.toml; nothing is fetched to see it."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from setup.locks import LOCKS, pins
from shared_settings.extras import MODULES
from tests.processes import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
EVERYTHING = [
    *PROJECT["dependencies"],
    *(line for extra, lines in EXTRAS.items() if extra != "all" for line in lines),
]
ASKED_FOR = {
    "requirements.txt": EVERYTHING,
    "deploy/requirements-web.txt": PROJECT["dependencies"],
    "requirements-dev.txt": [*EVERYTHING, *PYPROJECT["dependency-groups"]["dev"]],
}
PINNED = {name: pins((ROOT / name).read_text()) for name in LOCKS}


def normal(name: str) -> str:
    """Return a distribution's name as names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def versions(name: str) -> dict[str, set[str]]:
    """Return which versions a file has of each distribution; several, by Python's version."""
    found: dict[str, set[str]] = {}
    for pin in PINNED[name]:
        package, _, version = pin.partition("==")
        found.setdefault(normal(package), set()).add(version)
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_a_file_is_made_as_make_lock_makes_it(name: str) -> None:
    """With the same command, or the next one who types it gets another file."""
    assert f"#    uv {LOCKS[name]}\n" in (ROOT / name).read_text()


@pytest.mark.parametrize("name", LOCKS)
def test_a_file_has_what_pyproject_asks_for(name: str) -> None:
    """Who edits the one and forgets the other deploys something else."""
    there = versions(name)
    wanted = [Requirement(line) for line in ASKED_FOR[name]]

    assert [] == [
        str(each)
        for each in wanted
        if not any(map(each.specifier.contains, there.get(normal(each.name), ())))
    ]
    assert all("sha256:" in hashes for hashes in PINNED[name].values())


def test_all_have_the_same_versions() -> None:
    """What the tests ran with is what is deployed, whichever file it comes from."""
    everything, web, dev = (
        PINNED[name]
        for name in ("requirements.txt", "deploy/requirements-web.txt", "requirements-dev.txt")
    )

    assert web.items() <= everything.items() <= dev.items()


def test_the_web_process_alone_has_no_extra() -> None:
    """That is what its file is for."""
    named = {normal(Requirement(line).name) for lines in EXTRAS.values() for line in lines}

    assert set() == named & versions("deploy/requirements-web.txt").keys()


def test_each_extra_says_where_it_is_missing() -> None:
    """An extra without a sentence ends in a traceback."""
    assert MODULES.keys() == EXTRAS.keys() - {"all"}
