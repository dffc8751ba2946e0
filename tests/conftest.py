"""Two at a time: those that wait for agents to come in time take turns, the others run beside."""

from collections import defaultdict

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling, Scheduling

_IN_TURN = ("tests/system/", "tests/browser/", "tests/contract/")
# These judge by what they find rather than by how soon; one after the other all the same.
_BESIDE = tuple(
    f"tests/system/test_{name}"
    for name in (
        "dev",
        "docs",
        "doctor",
        "metrics_processes",
        "monitoring",
        "operating",
        "readme",
        "slow_clients",
        "web_process",
    )
)


class _InTurn(LoadScopeScheduling):  # type: ignore[misc]  # has no types
    """One process gets all that must not be disturbed by others of its kind, and gets it first."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(_BESIDE):
            return "beside"
        return "in turn" if nodeid.startswith(_IN_TURN) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Say which process runs what."""
    return _InTurn(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many seconds each folder took, and each file of those that start processes."""
    seconds: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                path = report.nodeid.partition("::")[0]
                seconds[path if path.startswith(_IN_TURN) else path.rpartition("/")[0]] += (
                    report.duration
                )
    terminalreporter.section("seconds")
    for place, duration in sorted(seconds.items(), key=lambda each: -each[1]):
        terminalreporter.write_line(f"{duration:7.1f} {place}")
