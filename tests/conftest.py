"""Two at a time: those that wait for agents to come in time take turns, the others run beside."""

from pathlib import Path

import pytest

_IN_TURN = {"system", "browser", "contract"}
# It waits most of the time, and judges by what it finds rather than by how soon.
_BESIDE = "test_doctor"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that must not be disturbed by one another."""
    here = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(here).parts[0]
        if folder in _IN_TURN and not item.path.name.startswith(_BESIDE):
            item.add_marker(pytest.mark.xdist_group("in turn"))
