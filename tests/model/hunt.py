"""`python -m tests.model.hunt MUTANT`: tells histories until one ends badly; 0 if one does.

Without a mutant the keeper as it is: 0 if none ends badly.

In a process of its own: Hypothesis draws on the constants of all our modules that are imported, so
that among other tests it would tell other histories each time.
"""

import os
import subprocess
import sys

from tests.model.keepers import Parts
from tests.model.mutants import MUTANTS
from tests.model.told import tell_histories
from tests.processes import ROOT

# The first bad one ends it: each is found within a quarter of these, most of them at once.
_HISTORIES = 1000


def in_a_process_of_its_own(*mutant: str) -> "subprocess.CompletedProcess[str]":
    """Run this module, and return how it ended and what it said."""
    return subprocess.run(
        [sys.executable, "-m", "tests.model.hunt", *mutant],
        cwd=ROOT,
        # The same histories everywhere: what escapes or ends badly here does so in CI too.
        env=os.environ | {"PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def main() -> int:
    """Hunt one mutant, or tell of the keeper itself."""
    if not sys.argv[1:]:
        tell_histories(Parts())
        return 0
    try:
        tell_histories(MUTANTS[sys.argv[1]].parts(), histories=_HISTORIES)
    except AssertionError as error:
        sys.stdout.write(f"{error}\n")
        return 0 if "broken" in str(error) else 1
    return 1


if __name__ == "__main__":
    sys.exit(main())
