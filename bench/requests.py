"""What the load generator asks: for tokens, and for rooms without a token server."""

import http.client
import json
from http import HTTPStatus

from livekit import api

from bench.load import NUMBER, Target
from tests.processes import API_KEY, API_SECRET

_TOKEN_BODY = f'{{"room_name": "bench-{NUMBER}", "participant_identity": "alice"}}'
_PATIENCE_SECONDS = 10.0


def token_request(port: int, *, rooms: int | None = None) -> Target:
    """Ask for tokens: each for a fresh room, or for so many rooms again and again."""
    return Target(
        port=port,
        path="/token",
        body=_TOKEN_BODY.encode(),
        headers=("Content-Type: application/json",),
        numbers=rooms,
    )


def create_room_request(port: int) -> Target:
    """Ask livekit-server for what is under a token: a fresh room, with a token signed once."""
    order = api.CreateRoomRequest(name=f"bench-{NUMBER}", empty_timeout=300, departure_timeout=20)
    grants = api.VideoGrants(room_create=True)
    admin_token = api.AccessToken(API_KEY, API_SECRET).with_grants(grants).to_jwt()
    return Target(
        port=port,
        path="/twirp/livekit.RoomService/CreateRoom",
        body=order.SerializeToString(),
        headers=("Content-Type: application/protobuf", f"Authorization: Bearer {admin_token}"),
    )


def issue_tokens(port: int, count: int) -> None:
    """Fetch so many tokens, each for a room of its own, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    try:
        for number in range(count):
            body = json.dumps({"room_name": f"bench-followed-{number}"})
            connection.request("POST", "/token", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != HTTPStatus.CREATED:
                raise ConnectionError(f"/token answered {answer.status}")
    finally:
        connection.close()
