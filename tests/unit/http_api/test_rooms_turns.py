"""While thousands of rooms are shown, other greenlets have their turn."""

from tests.greenlets import run_under_gevent

GET_ROOMS = """
from flask import Flask
from token_server.auth.operators import Operators
from token_server.http_api.room_watch import RoomWatch
from token_server.http_api.rooms_endpoint import create_blueprint
from token_server.keeper.wanted_agents import Policy
from token_server.state.timeline import NOT_KEPT
from token_server.tokens.tickets import TicketSealer
from tests.fakes import FakeLiveKit
from token_server.livekit.port import RoomOrder
from datetime import timedelta

rooms = FakeLiveKit()
for number in range(2_001):
    rooms.create_room(RoomOrder(room_name=f"room-{number}", empty_timeout=timedelta(1),
        departure_timeout=timedelta(1)))
app = Flask(__name__)
watch = RoomWatch(rooms, TicketSealer("secret"), Policy(agent_names=("tutor",)), NOT_KEPT)
app.register_blueprint(create_blueprint(Operators((), is_demo=True), watch))
turns = 0
shown = app.test_client().get("/rooms")
print(turns >= 14, len(shown.json["rooms"]), shown.data == app.json.response(shown.json).data)
"""


def test_others_have_their_turn_while_all_rooms_are_shown() -> None:
    """And what is shown is what Flask would have written in one go."""
    assert "True 2001 True" == run_under_gevent(GET_ROOMS)
