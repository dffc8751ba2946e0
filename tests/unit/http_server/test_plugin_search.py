import sys
from collections.abc import Iterator
from importlib import metadata

import pytest

from token_server.http_server.plugin_search import one_search


class Searches(metadata.DistributionFinder):
    """Is asked for installed packages like every finder, has none, and counts."""

    number = 0

    def find_distributions(self, context: object = None) -> list[metadata.Distribution]:
        del context
        self.number += 1
        return []


@pytest.fixture
def searches() -> Iterator[Searches]:
    """Count while the test runs."""
    searches = Searches()
    sys.meta_path.append(searches)
    yield searches
    sys.meta_path.remove(searches)


def test_the_installed_packages_are_looked_through_once(searches: Searches) -> None:
    """Each search costs a process 5 ms of its start, and gevent asks 25 times."""
    with one_search():
        for _ in range(25):
            metadata.entry_points(group="gevent.plugins.monkey.will_patch_all")

    assert 1 == searches.number


def test_the_plugins_found_are_the_same() -> None:
    """Whoever has a plugin for gevent has it here too."""
    wanted = set(metadata.entry_points(group="pytest11"))

    with one_search():
        found = set(metadata.entry_points(group="pytest11"))

    assert wanted
    assert wanted == found


def test_afterwards_each_search_is_a_new_one(searches: Searches) -> None:
    """Others may have changed what is installed."""
    with pytest.raises(ZeroDivisionError), one_search():
        1 / 0  # noqa: B018

    metadata.entry_points(group="pytest11")
    metadata.entry_points(group="pytest11")

    assert 3 == searches.number
