"""POST /rooms/{room_name}/release, for the operator alone."""

from dataclasses import asdict

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from token_server.auth.operators import Operators
from token_server.errors import InvalidRequestError
from token_server.http_api.error_responses import ROOM_NAME_KEY
from token_server.http_api.room_releases import RoomReleases
from token_server.http_api.rooms_endpoint import operators_blueprint, queried_room_name
from token_server.http_api.token_endpoint import posted_json
from token_server.keeper.releases import parse_release


def create_blueprint(operators: Operators, releases: RoomReleases) -> Blueprint:
    """Build the routes."""
    blueprint = operators_blueprint("releases", operators)

    @blueprint.post("/rooms/<any_name:room_name>/release")
    def release(room_name: str) -> ResponseReturnValue:
        # Whatever goes wrong from here on is logged with the room that it is about.
        request.environ[ROOM_NAME_KEY] = room_name
        return asdict(releases.release(room_name, parse_release(posted_json(request))))

    # For a room of any name, as GET /rooms?room_name=….
    @blueprint.post("/rooms/release")
    def release_queried() -> ResponseReturnValue:
        room_name = queried_room_name()
        if room_name is None:
            raise InvalidRequestError("room_name must be given, in the path or in the query")
        return release(room_name)

    return blueprint
