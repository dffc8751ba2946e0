"""GET /rooms, /rooms/{room_name}, POST /rooms/{room_name}/release, for the operator alone."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from flask import Blueprint, Response, current_app, request
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from werkzeug.routing import BaseConverter

from token_server.auth.operators import Operators
from token_server.errors import InvalidRequestError
from token_server.http_api.error_responses import ROOM_NAME_KEY
from token_server.http_api.room_releases import RoomReleases
from token_server.http_api.room_watch import RoomWatch
from token_server.http_api.token_endpoint import posted_json
from token_server.keeper.releases import ReleaseRequest
from token_server.livekit.slices import slices
from token_server.tokens.token_request import parse_body

_AT_ONCE = 500


class AnyName(BaseConverter):
    """A name of any characters: a slash at its start, two in a row, a line's end."""

    part_isolating = False
    regex = "(?s:.+)"


def _operators_blueprint(name: str, operators: Operators) -> Blueprint:
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
    """Build the routes that show rooms."""
    blueprint = _operators_blueprint("rooms", operators)

    @blueprint.get("/rooms")
    def rooms() -> ResponseReturnValue:
        room_name = _queried_room_name()
        return _show_all(watch.rooms()) if room_name is None else watch.room(room_name)

    # %2F is a slash by the time that it comes here. `.` and `..` do not come: clients resolve
    # them, so that a query can name a room as well.
    @blueprint.get("/rooms/<any_name:room_name>")
    def room(room_name: str) -> ResponseReturnValue:
        return watch.room(room_name)

    return blueprint


def create_releases_blueprint(operators: Operators, releases: RoomReleases) -> Blueprint:
    """Build the routes by which calls are taken over."""
    blueprint = _operators_blueprint("releases", operators)

    @blueprint.post("/rooms/<any_name:room_name>/release")
    def release(room_name: str) -> ResponseReturnValue:
        # Whatever goes wrong from here on is logged with the room that it is about.
        request.environ[ROOM_NAME_KEY] = room_name
        asked = parse_body(ReleaseRequest, posted_json(request))
        return asdict(releases.release(room_name, asked))

    # For a room of any name, as GET /rooms?room_name=….
    @blueprint.post("/rooms/release")
    def release_queried() -> ResponseReturnValue:
        room_name = _queried_room_name()
        if room_name is None:
            raise InvalidRequestError("room_name must be given, in the path or in the query")
        return release(room_name)

    return blueprint


def _queried_room_name() -> str | None:
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
