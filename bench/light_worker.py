"""A worker for hundreds of agents on a small machine: threads, and agents that say nothing.

It answers jobs as the product's worker does (identity, one agent a room), and prints a line when
an agent is in its room: one that publishes nothing is seen by others up to 3 s late.
"""

import os
import sys
import time

from livekit import rtc
from livekit.agents import AgentServer, AutoSubscribe, JobContext, JobExecutorType, JobRequest, cli  # noqa: TID251 (a worker)

from agent.worker import agent_identity
from tests.humans import CALM


async def _sit(context: JobContext) -> None:
    await context.connect(
        auto_subscribe=AutoSubscribe.SUBSCRIBE_NONE, rtc_config=CALM, single_peer_connection=True
    )
    sys.stdout.write(f"attended {context.room.name} {time.time():.3f}\n")
    sys.stdout.flush()

    def leave(_: rtc.RemoteParticipant) -> None:
        if not context.room.remote_participants:
            context.shutdown("nobody is left")

    context.room.on("participant_disconnected", leave)


async def _accept(request: JobRequest) -> None:
    identity = agent_identity(request.agent_name, request.id)
    await request.accept(identity=identity, name=request.agent_name)


def _build_worker() -> AgentServer:
    worker = AgentServer(
        job_executor_type=JobExecutorType.THREAD,
        load_fnc=lambda: 0.0,
        load_threshold=float("inf"),
        port=int(os.environ["LIVEKIT_AGENT_PORT"]),
        num_idle_processes=4,
    )
    worker.rtc_session(_sit, agent_name=os.environ["LIVEKIT_AGENT_NAME"], on_request=_accept)
    return worker


if __name__ == "__main__":
    os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")
    cli.run_app(_build_worker())
