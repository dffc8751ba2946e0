import pytest

from tests.model.mutants import MUTANTS, Mutant
from tests.model.told import tell_histories


@pytest.mark.parametrize("mutant", [pytest.param(m, id=name) for name, m in MUTANTS.items()])
def test_a_keeper_that_decides_wrongly_is_found_out(mutant: Mutant) -> None:
    """A model that misses a bug put there on purpose would miss one made by accident."""
    with pytest.raises(AssertionError, match="broken"):
        # The first bad history ends it, after a few hundred at most; which ones are told depends
        # on what else is imported, since Hypothesis draws on the constants of all our modules.
        tell_histories(mutant.looker(), histories=5000)
