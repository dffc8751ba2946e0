"""`python -m tests.model.hunt MUTANT ...`: tells histories of each until one ends badly.

It ends with 0 where that happens with each of them. Without a mutant it tells of the keeper as it
is: 0 if none ends badly.

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

# The first bad one ends it: each is found within a fifth of these, most of them at once.
_HISTORIES = 200


def in_a_process_of_its_own(*mutants: str) -> "subprocess.CompletedProcess[str]":
    """Run this module, and return how it ended and what it said."""
    return subprocess.run(
        [sys.executable, "-m", "tests.model.hunt", *mutants],
        cwd=ROOT,
        # The same histories everywhere: what escapes or ends badly here does so in CI too.
        env=os.environ | {"PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def main() -> int:
    """Hunt these mutants, or tell of the keeper itself."""
    if not sys.argv[1:]:
        tell_histories(Parts())
        return 0
    escaped = [name for name in sys.argv[1:] if not _is_found_out(name)]
    sys.stdout.write("".join(f"not found out: {name}\n" for name in escaped))
    return len(escaped)


def _is_found_out(name: str) -> bool:
    try:
        tell_histories(MUTANTS[name].parts(), histories=_HISTORIES)
    except AssertionError as error:
        return "broken" in str(error)
    return False


if __name__ == "__main__":
    sys.exit(main())
