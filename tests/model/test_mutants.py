import os
import subprocess
import sys

import pytest

from tests.model.mutants import MUTANTS
from tests.processes import ROOT


@pytest.mark.parametrize("name", MUTANTS)
def test_a_keeper_that_decides_wrongly_is_found_out(name: str) -> None:
    """A model that misses a bug put there on purpose would miss one made by accident."""
    hunt = subprocess.run(
        [sys.executable, "-m", "tests.model.hunt", name],
        cwd=ROOT,
        # The same histories everywhere: a mutant that escapes here escapes in CI too.
        env=os.environ | {"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == hunt.returncode, hunt.stdout + hunt.stderr
