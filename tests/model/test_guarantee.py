from tests.lives import unasked
from tests.model.scene import POLICY, SEALER
from tests.model.told import tell_histories
from token_server.keeper.look_at_room import Looker


def test_whatever_happens_every_human_gets_exactly_one_agent() -> None:
    """The product's promise, for histories that nobody has thought of."""
    tell_histories(lambda rooms, locks: Looker(rooms, locks, SEALER, POLICY, unasked(rooms)))
