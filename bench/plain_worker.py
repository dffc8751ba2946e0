"""A worker as livekit-agents has it by itself, to compare with: every job is taken, as it comes.

The agent's identity is livekit-agents' own; the agent publishes a track, silent or, with
PLAIN_AGENT_TONE=1, a tone without end, and leaves with the last human, as an AgentSession does.
The load counts jobs: livekit-agents measures CPU, and a busy second of this machine would lose
jobs that are not what is compared.
"""

import array
import asyncio
import logging
import math
import os

from livekit import rtc
from livekit.agents import AgentServer, AutoSubscribe, JobContext, cli  # noqa: TID251 (a worker)

logger = logging.getLogger("bench.plain_worker")
_MAX_JOBS = int(os.environ.get("LIVEKIT_AGENT_MAX_JOBS", "100"))
# From 0.7 on a worker counts as full, there and in livekit-server.
_FULL = 0.7
_SAMPLE_RATE = 48_000
_HAS_TONE = os.environ.get("PLAIN_AGENT_TONE") == "1"
_HERTZ = 440  # whole waves in a tenth of a second
_LOUDNESS = 8_000  # of 32,767


def _load(worker: AgentServer) -> float:
    return min(1.0, _FULL * len(worker.active_jobs) / _MAX_JOBS)


async def _be_there(context: JobContext) -> None:
    await context.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)
    source = rtc.AudioSource(_SAMPLE_RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track("agent", source)
    # Whoever publishes nothing is seen up to 3 s late (livekit-behaviour 46).
    await context.room.local_participant.publish_track(track)

    def leave(_: rtc.RemoteParticipant) -> None:
        kinds = {other.kind for other in context.room.remote_participants.values()}
        if rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD not in kinds:
            context.shutdown("nobody is left")

    context.room.on("participant_disconnected", leave)
    logger.info("in the room", extra={"room": context.room.name})
    if _HAS_TONE:
        sounding = asyncio.create_task(_sound(source))

        async def be_silent() -> None:
            sounding.cancel()

        context.add_shutdown_callback(be_silent)


async def _sound(source: rtc.AudioSource) -> None:
    """Play the tone for as long as the job lasts."""
    length = _SAMPLE_RATE // 10
    waves = (math.sin(math.tau * _HERTZ * i / _SAMPLE_RATE) for i in range(length))
    pcm = array.array("h", (round(_LOUDNESS * wave) for wave in waves)).tobytes()
    while True:
        await source.capture_frame(rtc.AudioFrame(pcm, _SAMPLE_RATE, 1, length))


def _build_worker() -> AgentServer:
    worker = AgentServer(
        load_fnc=_load,
        port=int(os.environ["LIVEKIT_AGENT_PORT"]),
        num_idle_processes=int(os.environ["LIVEKIT_AGENT_IDLE_PROCESSES"]),
    )
    worker.rtc_session(_be_there, agent_name=os.environ["LIVEKIT_AGENT_NAME"])
    return worker


if __name__ == "__main__":
    os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")
    cli.run_app(_build_worker())
