"""GET /rooms and GET /rooms/{room_name}, for the operator alone."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from token_server.operators import Operators
from token_server.room_watch import RoomWatch


def create_blueprint(operators: Operators, watch: RoomWatch) -> Blueprint:
    """Build the routes."""
    blueprint = Blueprint("rooms", __name__)

    @blueprint.before_request
    def let_operators_in() -> None:
        operators.check(dict(request.headers), request.remote_addr)

    @blueprint.get("/rooms")
    def rooms() -> ResponseReturnValue:
        return {"rooms": watch.rooms()}

    # A room's name may have any character: %2F is a slash by the time that it comes here.
    @blueprint.get("/rooms/<path:room_name>")
    def room(room_name: str) -> ResponseReturnValue:
        return watch.room(room_name)

    return blueprint
