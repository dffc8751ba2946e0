import pytest

from tests.model.hunt import in_a_process_of_its_own
from tests.model.mutants import MUTANTS


@pytest.mark.parametrize("name", MUTANTS)
def test_a_keeper_that_decides_wrongly_is_found_out(name: str) -> None:
    """A model that misses a bug put there on purpose would miss one made by accident."""
    hunt = in_a_process_of_its_own(name)

    assert 0 == hunt.returncode, hunt.stdout
