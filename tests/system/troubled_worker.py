"""Workers that take jobs and do not do them: `python -m tests.system.troubled_worker start`.

TROUBLE names a file with one word, read at each job: dies (its process ends before the join),
raises, hangs, silent (joins, publishes nothing), crashes (raises once it has joined), freezes (once
it has joined), blocks (its event loop, once it has joined), busy (measures so much load that no job
comes).
"""

import asyncio
import os
import signal
import time
from pathlib import Path

from livekit.agents import AgentServer, JobContext, cli

from agent.life import answer_for_life


def _trouble_now() -> str:
    return Path(os.environ["TROUBLE"]).read_text()


async def _trouble(context: JobContext) -> None:
    trouble = _trouble_now()
    if trouble == "dies":
        os._exit(3)
    if trouble == "raises":
        raise RuntimeError("a made-up bug")
    if trouble == "hangs":
        await asyncio.sleep(60)
    await context.connect()
    if trouble == "crashes":
        await asyncio.sleep(0.5)  # who goes at once is not always seen
        raise RuntimeError("a made-up bug")
    if trouble in {"freezes", "blocks"}:
        await asyncio.sleep(1.5)  # until its data channel is up: before, nobody can ask it
    answer_for_life(context.room.local_participant)
    if trouble == "freezes":
        os.kill(os.getpid(), signal.SIGSTOP)
    if trouble == "blocks":
        time.sleep(60)  # noqa: ASYNC251 (that is the trouble)


def _build_worker() -> AgentServer:
    worker = AgentServer(
        load_fnc=lambda: 0.9 if _trouble_now() == "busy" else 0.0,
        port=int(os.environ["LIVEKIT_AGENT_PORT"]),
        num_idle_processes=2,
    )
    worker.rtc_session(_trouble, agent_name=os.environ["LIVEKIT_AGENT_NAME"])
    return worker


if __name__ == "__main__":
    os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")
    cli.run_app(_build_worker())
