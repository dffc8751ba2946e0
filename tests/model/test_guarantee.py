from tests.model.hunt import in_a_process_of_its_own


def test_whatever_happens_every_human_gets_exactly_one_agent() -> None:
    """The product's promise, for histories that nobody has thought of."""
    told = in_a_process_of_its_own()

    assert 0 == told.returncode, told.stdout
