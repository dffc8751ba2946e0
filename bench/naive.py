"""A token server that sends the agent with its first webhook, to compare with.

What one writes after livekit#4390: the token names no agent, and every participant_joined of a
human is a CreateDispatch. Reads LIVEKIT_* from the environment.
"""

import asyncio
import os

from flask import Flask, request
from flask.typing import ResponseReturnValue
from livekit import api

app = Flask(__name__)
_HUMAN = api.ParticipantInfo.Kind.STANDARD


@app.post("/token")
def token() -> ResponseReturnValue:
    """Sign a token."""
    given = request.get_json()
    room_name = given.get("room_name") or os.urandom(8).hex()
    join_token = (
        api.AccessToken()
        .with_identity(given.get("participant_identity") or os.urandom(8).hex())
        .with_grants(api.VideoGrants(room_join=True, room=room_name))
    )
    answer = {
        "server_url": os.environ["LIVEKIT_URL"],
        "participant_token": join_token.to_jwt(),
    }
    return answer, 201


@app.post("/webhook")
def webhook() -> ResponseReturnValue:
    """Send an agent after every human."""
    receiver = api.WebhookReceiver(api.TokenVerifier())
    event = receiver.receive(request.get_data(as_text=True), request.headers["Authorization"])
    if event.event == "participant_joined" and event.participant.kind == _HUMAN:
        asyncio.run(_send_agent(event.room.name))
    return {}


@app.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Answer as soon as requests are served."""
    return {}


async def _send_agent(room_name: str) -> None:
    async with api.LiveKitAPI() as livekit:
        order = api.CreateAgentDispatchRequest(
            room=room_name, agent_name=os.environ["LIVEKIT_AGENT_NAME"]
        )
        await livekit.agent_dispatch.create_dispatch(order)
