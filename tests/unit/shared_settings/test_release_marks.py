"""The mark of a released human: which agent's it is, and who may have made it."""

import pytest

from shared_settings.release_marks import (
    is_released,
    release_attribute,
    release_mark,
    released_from,
    without_marks,
)

OLD, NEW = "an-old-secret", "a-new-secret"
ALICE = ("kitchen", "alice")


def marked(agent_name: str = "tutor", secret: str = NEW) -> dict[str, str]:
    """Alice's attributes, once this agent is done with her."""
    mark = release_mark(secret, *ALICE, agent_name)
    return {"colour": "blue", release_attribute(agent_name): mark}


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_whoever_has_a_secret_may_release(secret: str) -> None:
    """Calls outlast the exchange of a key."""
    attributes = marked(secret=secret)

    assert ["tutor"] == released_from((NEW, OLD), *ALICE, attributes)
    assert is_released((NEW, OLD), *ALICE, "tutor", attributes)


@pytest.mark.parametrize(
    ("about", "attributes"),
    [
        pytest.param(("cellar", "alice"), marked(), id="of another room"),
        pytest.param(("kitchen", "bob"), marked(), id="of another human"),
        pytest.param(
            ALICE,
            {release_attribute("cook"): marked()[release_attribute("tutor")]},
            id="of another agent",
        ),
        pytest.param(ALICE, marked(secret="guessed"), id="of another secret"),
        pytest.param(ALICE, {release_attribute("tutor"): "ä"}, id="no mark"),
        pytest.param(ALICE, {release_attribute("tutor"): ""}, id="taken away"),
        pytest.param(ALICE, {"colour": "blue"}, id="none"),
    ],
)
def test_no_other_mark_counts(about: tuple[str, str], attributes: dict[str, str]) -> None:
    """Clients can read marks, and write attributes where a token of another maker lets them."""
    assert [] == released_from((NEW, OLD), *about, attributes)


def test_several_agents_may_be_done_with_one_human() -> None:
    """Each has a mark of its own; one may have no name."""
    attributes = marked("tutor") | marked("cook") | marked("")

    assert {"tutor", "cook", ""} == set(released_from((NEW,), *ALICE, attributes))


def test_attributes_without_marks_are_as_before() -> None:
    """Whoever asks who wanted an agent looks past them."""
    assert {"colour": "blue"} == without_marks(marked("tutor") | marked("cook"))
