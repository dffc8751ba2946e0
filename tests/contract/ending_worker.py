"""A worker whose jobs end as they are told: `python -m tests.contract.ending_worker start`.

A job's metadata says how: shuts down (its own `context.shutdown`), raises (an exception), waits.
The first two end when the attribute `end` is given to their agent: of whoever leaves before their
media is up LiveKit sends no webhook.
"""

import asyncio
import os
from collections.abc import Mapping

from livekit import rtc
from livekit.agents import AgentServer, JobContext, cli

NAME = "ending-agent"


async def _end(context: JobContext) -> None:
    is_told = asyncio.Event()

    def note(changed: Mapping[str, str], _: rtc.Participant) -> None:
        if "end" in changed:
            is_told.set()

    context.room.on("participant_attributes_changed", note)
    await context.connect()
    if context.job.metadata in {"shuts down", "raises"}:
        await is_told.wait()
    if context.job.metadata == "shuts down":
        context.shutdown("as it was told")
    if context.job.metadata == "raises":
        raise RuntimeError("a made-up bug")


def _build_worker() -> AgentServer:
    worker = AgentServer(
        load_fnc=lambda: 0.0, port=int(os.environ["LIVEKIT_AGENT_PORT"]), num_idle_processes=2
    )
    worker.rtc_session(_end, agent_name=NAME)
    return worker


if __name__ == "__main__":
    os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")
    cli.run_app(_build_worker())
