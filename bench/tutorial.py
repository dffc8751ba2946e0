"""The token server of LiveKit's tutorials, to compare with: a new LiveKitAPI for every request.

Made as one would make it from the documentation: a Flask view that runs livekit-api's coroutine,
and webhooks verified with livekit-api's receiver. Reads LIVEKIT_* from the environment.
"""

import asyncio
import os

from flask import Flask, request
from flask.typing import ResponseReturnValue
from livekit import api

app = Flask(__name__)


@app.post("/token")
def token() -> ResponseReturnValue:
    """Make the room and sign a token that names the agent."""
    given = request.get_json()
    asyncio.run(_create_room(given["room_name"]))
    agent = api.RoomAgentDispatch(agent_name=os.environ["LIVEKIT_AGENT_NAME"])
    join_token = (
        api.AccessToken()
        .with_identity(given["participant_identity"])
        .with_grants(api.VideoGrants(room_join=True, room=given["room_name"]))
        .with_room_config(api.RoomConfiguration(agents=[agent]))
    )
    answer = {
        "server_url": os.environ["LIVEKIT_URL"],
        "participant_token": join_token.to_jwt(),
    }
    return answer, 201


@app.post("/webhook")
def webhook() -> ResponseReturnValue:
    """Verify a webhook and do nothing about it."""
    receiver = api.WebhookReceiver(api.TokenVerifier())
    receiver.receive(request.get_data(as_text=True), request.headers["Authorization"])
    return {}


@app.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Answer as soon as requests are served."""
    return {}


async def _create_room(room_name: str) -> None:
    async with api.LiveKitAPI() as livekit:
        order = api.CreateRoomRequest(name=room_name, empty_timeout=300, departure_timeout=20)
        await livekit.room.create_room(order)
