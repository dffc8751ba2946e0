"""`python -m tests.model.hunt MUTANT`: tells histories until one ends badly; 0 if one does.

Without a mutant the keeper as it is: 0 if none ends badly.

In a process of its own: Hypothesis draws on the constants of all our modules that are imported, so
that among other tests it would tell other histories each time.
"""

import sys

from tests.model.keepers import Parts
from tests.model.mutants import MUTANTS
from tests.model.told import tell_histories

# The first bad one ends it, after some hundred most often.
_HISTORIES = 5000


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
