"""GET /rooms and GET /rooms/{room_name}, for the operator alone."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import Blueprint, Response, current_app, request
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from werkzeug.routing import BaseConverter

from token_server.auth.operators import Operators
from token_server.errors import InvalidRequestError
from token_server.http_api.room_watch import RoomWatch
from token_server.livekit.slices import slices

_AT_ONCE = 500


class AnyName(BaseConverter):
    """A name of any characters: a slash at its start, two in a row, a line's end."""

    part_isolating = False
    regex = "(?s:.+)"


def operators_blueprint(name: str, operators: Operators) -> Blueprint:
    """Return a blueprint for operators alone, whose routes may say `<any_name:…>`."""
    blueprint = Blueprint(name, __name__)

    @blueprint.record_once
    def add_any_name(state: BlueprintSetupState) -> None:
        state.app.url_map.converters["any_name"] = AnyName

    @blueprint.before_request
    def let_operators_in() -> None:
        operators.check(dict(request.headers), request.remote_addr)

    return blueprint


def create_blueprint(operators: Operators, watch: RoomWatch) -> Blueprint:
    """Build the routes."""
    blueprint = operators_blueprint("rooms", operators)

    @blueprint.get("/rooms")
    def rooms() -> ResponseReturnValue:
        room_name = queried_room_name()
        return _show_all(watch.rooms()) if room_name is None else watch.room(room_name)

    # %2F is a slash by the time that it comes here. `.` and `..` do not come: clients resolve
    # them, so that a query can name a room as well.
    @blueprint.get("/rooms/<any_name:room_name>")
    def room(room_name: str) -> ResponseReturnValue:
        return watch.room(room_name)

    return blueprint


def queried_room_name() -> str | None:
    """Return the room that the query of the request names; None if it names none.

    Raises:
        InvalidRequestError: It names several.
    """
    room_names = request.args.getlist("room_name")
    if len(room_names) > 1:
        raise InvalidRequestError("room_name must be given once")
    return room_names[0] if room_names else None


def _show_all(rooms: Sequence[dict[str, Any]]) -> Response:
    """Write thousands of rooms, as Flask would, but some at a time."""
    write = partial(current_app.json.dumps, separators=(",", ":"))
    written = [write(some)[1:-1] for some in slices(rooms, _AT_ONCE)]
    body = f'{{"rooms":[{",".join(written)}]}}\n'
    return current_app.response_class(body, mimetype="application/json")
