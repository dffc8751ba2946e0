"""Two at a time: those that wait for agents to come in time take turns, the others run beside."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling, Scheduling

_IN_TURN = ("tests/system/", "tests/browser/", "tests/contract/")
# It waits most of the time, and judges by what it finds rather than by how soon.
_BESIDE = "tests/system/test_doctor"


class _InTurn(LoadScopeScheduling):  # type: ignore[misc]  # has no types
    """One process gets all that must not be disturbed by others of its kind, and gets it first."""

    def _split_scope(self, nodeid: str) -> str:
        is_in_turn = nodeid.startswith(_IN_TURN) and not nodeid.startswith(_BESIDE)
        return "in turn" if is_in_turn else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Say which process runs what."""
    return _InTurn(config, log)
