"""How many histories are told, and which: the same ones every time, or new ones for long."""

import os
import time

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.keepers import Parts
from tests.model.machine import Histories

# Seconds to search for a history that breaks the guarantee, with new ones each time. Without it
# the same histories are told every time: a failure in CI is a failure everywhere.
#   MODEL_SECONDS=300 nice pytest tests/model
SEARCH_SECONDS = float(os.environ.get("MODEL_SECONDS", "0"))

_BUDGET = settings(
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    # Not shrunk: the steps and the history that a failure prints are short enough to be read.
    phases=[Phase.generate],
)
_SEARCH = settings(_BUDGET, derandomize=False, stateful_step_count=35)


def tell_histories(keepers: Parts, histories: int = 700) -> None:
    """Tell so many histories about a keeper that looks so; raise where one ends badly."""

    class Told(Histories):
        """Histories of that keeper."""

        parts = keepers

    run_state_machine_as_test(Told, settings=settings(_BUDGET, max_examples=histories))
    end = time.monotonic() + SEARCH_SECONDS
    while time.monotonic() < end:
        run_state_machine_as_test(Told, settings=_SEARCH)
