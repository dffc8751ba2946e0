"""Which process runs what: one those that only calculate, one the patient ones, three the others.

What waits for real processes costs little time of the machine's, so several of them run beside each
other. What a test waits for is not to come late: who only calculates, or waits for as long as it
takes, goes behind the three where they compete. Who has nothing of its kind left helps the others.
"""

import gc
import os
from collections import defaultdict
from enum import Enum

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling, Scheduling
from xdist.workermanage import WorkerController

from tests.processes import let_children_heed_signals

_STARTS_PROCESSES = ("tests/system/", "tests/browser/", "tests/contract/")
_PATIENT = ("tests/system/test_doctor_cures.py", "tests/system/test_doctor_agent.py")


class _Kind(Enum):
    PROMPT = "what it waits for is not to come late"
    PATIENT = "waits for as long as it takes"
    CALCULATES = "starts no process"


# What a process runs, and what it helps with. These go behind the others.
_RUNS = {
    "gw0": (_Kind.CALCULATES, _Kind.PATIENT),
    "gw4": (_Kind.PATIENT, _Kind.CALCULATES),
}
_RUN_BY_OTHERS = (_Kind.PROMPT, _Kind.PATIENT)
_NICE = 10
# Started first, by the seconds that they take. Single tests, which any process can take, come last:
# so that all processes end at the same time.
_LONGEST = (
    "tests/browser/",
    "tests/system/test_agent.py",
    "tests/system/test_webhook_faults.py",
    "tests/system/test_joins.py",
    "tests/system/test_agent_life.py",
    "tests/system/test_several_machines.py",
    "tests/system/test_life.py",
)
# Each of their tests starts what it needs, or borrows what every process has: any can run it.
_EACH_ALONE = (
    "tests/model/",
    "tests/system/test_dev.py",
    "tests/system/test_doctor_agent.py",
    "tests/system/test_doctor_cures.py",
    "tests/system/test_doctor_server.py",
    "tests/system/test_faults.py",
    "tests/system/test_join_settings.py",
    "tests/system/test_metrics.py",
    "tests/system/test_server_faults.py",
    "tests/system/test_tracing.py",
    "tests/system/test_two_versions.py",
    "tests/system/test_worker_faults.py",
)

# Each shares what takes long to start: `make dev`, with the worker's usual port; the wheel.
_TOGETHER = (
    (
        "tests/system/test_docs.py",
        "tests/system/test_readme.py",
        "tests/system/test_first_evening.py",
    ),
    ("tests/system/test_operating.py", "tests/system/test_light.py"),
)
# With it each of some hundred processes would compile the whole project for itself.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session", autouse=True)
def _signals_reach_children() -> None:
    """Let what the tests start be ended by signals, however the tests were started."""
    let_children_heed_signals()


def pytest_sessionstart() -> None:
    """Collect no garbage while the modules are loaded: there is none."""
    gc.disable()
    if os.environ.get("PYTEST_XDIST_WORKER") in _RUNS:
        os.nice(_NICE)
    # How long a calculation takes says more of the machine than of us.
    hypothesis.settings.register_profile("untimed", hypothesis.settings(), deadline=None)
    hypothesis.settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """Look through what the modules have made no more: it stays until the end."""
    gc.freeze()
    gc.enable()


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # has no types
    """A file in one process, or each of its tests in any; the longest first."""

    def _split_scope(self, nodeid: str) -> str:
        """Return the name of what has to be run by one process."""
        if nodeid.startswith("tests/browser/"):
            return "tests/browser/"
        for files in _TOGETHER:
            if nodeid.startswith(files):
                return files[0]
        return nodeid.partition("[" if nodeid.startswith(_EACH_ALONE) else "::")[0]

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give a process the longest that is left for its kind."""
        if (scope := self._next_for(node)) is not None:
            self.workqueue.move_to_end(scope, last=False)
            super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        """Give a process more when it has one test left: it begins none before it knows another."""
        if node.shutting_down or self._pending_of(self.assigned_work[node]) >= 2:
            return
        if self._next_for(node) is None:
            node.shutdown()
        else:
            self._assign_work_unit(node)

    def _next_for(self, node: WorkerController) -> str | None:
        kinds = tuple(_Kind) if len(self.nodes) == 1 else _RUNS.get(node.gateway.id, _RUN_BY_OTHERS)
        runs = [scope for scope in self.workqueue if _kind(scope) in kinds]
        return min(
            runs, key=lambda scope: (kinds.index(_kind(scope)), *_place(scope)), default=None
        )


def _kind(scope: str) -> _Kind:
    if scope.startswith(_PATIENT):
        return _Kind.PATIENT
    return _Kind.PROMPT if scope.startswith(_STARTS_PROCESSES) else _Kind.CALCULATES


def _place(scope: str) -> tuple[bool, int]:
    places = (place for place, start in enumerate(_LONGEST) if scope.startswith(start))
    return scope.startswith(_EACH_ALONE), next(places, len(_LONGEST))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Say which process runs what."""
    return _Scheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many seconds each folder took, and each file of those that start processes."""
    seconds: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                path = report.nodeid.partition("::")[0]
                place = path if path.startswith(_STARTS_PROCESSES) else path.rpartition("/")[0]
                seconds[place] += report.duration
    terminalreporter.section("seconds")
    for place, duration in sorted(seconds.items(), key=lambda each: -each[1]):
        terminalreporter.write_line(f"{duration:7.1f} {place}")
