"""Long answers of LiveKit are read in slices, between which other greenlets have their turn."""

from tests.greenlets import run_under_gevent
from token_server.livekit.slices import slices

LIST_ROOMS = """
from types import SimpleNamespace
from livekit.protocol import models
from livekit.protocol.room import ListRoomsResponse
from token_server.livekit.twirp_livekit import TwirpLiveKit

answer = ListRoomsResponse(rooms=[models.Room(name=f"room-{n}") for n in range(2_001)])
turns = 0
rooms = TwirpLiveKit(SimpleNamespace(call=lambda *_: answer)).list_rooms()
print(turns >= 4, len(rooms), rooms[-1].room_name)
"""


def test_slices_are_all_items_in_their_order() -> None:
    """A room that is left out is never looked at."""
    assert [[1, 2], [3, 4], [5]] == list(slices([1, 2, 3, 4, 5], 2))
    assert [] == list(slices([], 2))


def test_others_have_their_turn_while_thousands_of_rooms_are_read() -> None:
    """Every sweep reads all rooms, and requests come meanwhile."""
    assert "True 2001 room-2000" == run_under_gevent(LIST_ROOMS)
