"""A worker whose agents leave as they are told: `python -m tests.system.leaving_worker start`.

Written as somebody else would, over livekit-agents and livekit-api. The job's metadata says how and
after how many seconds, in JSON: refuses (the job), raises, shuts (the session), deletes (the room,
in a shutdown callback as livekit-agents' EndCallTool does), releases (its human, then shuts).
"""

import asyncio
import json
import os

from livekit import api
from livekit.agents import AgentServer, JobContext, JobRequest, cli

from shared_settings.release_marks import release_attribute, release_mark

NAME = "leaver"


async def _answer(request: JobRequest) -> None:
    if json.loads(request.job.metadata)["how"] == "refuses":
        await request.reject()
    else:
        await request.accept(identity=f"agent-{NAME}-{request.id}")


async def _leave(context: JobContext) -> None:
    told = json.loads(context.job.metadata)
    if told["how"] == "deletes":
        context.add_shutdown_callback(lambda: _delete_room(context))
    await context.connect()
    await asyncio.sleep(told["after"])
    if told["how"] == "raises":
        raise RuntimeError("a made-up bug")
    if told["how"] == "releases":
        await _release_humans(context)
    context.shutdown()


async def _delete_room(context: JobContext) -> None:
    await context.api.room.delete_room(api.DeleteRoomRequest(room=context.room.name))


async def _release_humans(context: JobContext) -> None:
    room_name, secret = context.room.name, os.environ["LIVEKIT_API_SECRET"]
    for identity in context.room.remote_participants:
        mark = release_mark(secret, room_name, identity, NAME)
        await context.api.room.update_participant(
            api.UpdateParticipantRequest(
                room=room_name, identity=identity, attributes={release_attribute(NAME): mark}
            )
        )


def _build_worker() -> AgentServer:
    worker = AgentServer(
        load_fnc=lambda: 0.0, port=int(os.environ["LIVEKIT_AGENT_PORT"]), num_idle_processes=2
    )
    worker.rtc_session(_leave, agent_name=NAME, on_request=_answer)
    return worker


if __name__ == "__main__":
    os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")
    cli.run_app(_build_worker())
