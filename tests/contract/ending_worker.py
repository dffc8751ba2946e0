"""A worker whose jobs end as they are told: `python -m tests.contract.ending_worker start`.

A job's metadata says how: shuts down (its own `context.shutdown`), raises (an exception), waits.
"""

import os

from livekit.agents import AgentServer, JobContext, cli

NAME = "ending-agent"


async def _end(context: JobContext) -> None:
    await context.connect()
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
