from tests.model.keepers import Parts
from tests.model.told import tell_histories


def test_whatever_happens_every_human_gets_exactly_one_agent() -> None:
    """The product's promise, for histories that nobody has thought of."""
    tell_histories(Parts())
