from tests.model.hunt import in_a_process_of_its_own
from tests.model.mutants import MUTANTS


def test_keepers_that_decide_wrongly_are_found_out_by_histories() -> None:
    """A model that misses a bug put there on purpose would miss one made by accident."""
    hunt = in_a_process_of_its_own(*MUTANTS)

    assert 0 == hunt.returncode, hunt.stdout
