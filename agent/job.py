"""One job: join the room it was made for, be heard, leave with the last human.

The order is the point: connect, publish, then everything else.
"""

import asyncio
import functools
import json
import logging
from dataclasses import dataclass, field
from typing import Protocol

from livekit import rtc
from livekit.agents import AutoSubscribe, JobContext, JobProcess, inference, vad

from agent.doubt import Doubt
from agent.heartbeat import Heartbeat
from agent.humans import LeaveWithLastHuman
from agent.life import answer_for_life
from agent.logs import ignore_the_root_logger
from agent.parrot import Parrot
from agent.release import release
from agent.room_life import ROOM_HAS_ENDED, Place, RoomLife
from agent.settings import AgentSettings
from agent.track import Track
from agent.twirp_room import TwirpRoom
from agent.voice import Voice, voice_session
from shared_settings.settings import AgentDispatch

# A breath within a sentence is shorter; what follows a longer one is an utterance of its own.
_SILENCE_SECONDS = 0.5
_LONGEST_UTTERANCE_SECONDS = 30.0
_DETECTOR = "detector"
# livekit-ffi tries again when it is not connected after 15 s: the second try could revive a room
# that has ended by then.
_CONNECT_SECONDS = 12.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class JobMetadata:
    """What a dispatch says to its agent; never logged, only sizes are.

    Attributes:
        text: The metadata as the dispatch carries it: free text or JSON.
        unverified_instructions: What a JSON object has under "instructions", whoever wrote it.
    """

    text: str = field(repr=False)
    unverified_instructions: str | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """The length of the text in bytes of UTF-8."""
        return len(self.text.encode())

    @property
    def instructions_size(self) -> int:
        """The length of the instructions in bytes of UTF-8."""
        return len((self.unverified_instructions or "").encode(errors="replace"))


def job_metadata(text: str) -> JobMetadata:
    """Read a job's metadata: any text is fine, and a JSON object may carry instructions."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    instructions = document.get("instructions") if isinstance(document, dict) else None
    if not isinstance(instructions, str) or not instructions.strip():
        instructions = None
    return JobMetadata(text=text, unverified_instructions=instructions)


class Talker(Protocol):
    """What talks in the room: the parrot or the voice agent.

    Attributes:
        auto_subscribe: Which tracks it is sent without asking for them.
    """

    auto_subscribe: AutoSubscribe

    async def start(self, room: rtc.Room, track: Track) -> None:
        """Start to talk in a room, on the track that is published there."""

    async def aclose(self) -> None:
        """Stop talking."""


def warm_up(process: JobProcess) -> None:
    """Load what every job needs, in a process that waits for its job."""
    ignore_the_root_logger()
    detector = inference.VAD(
        min_silence_duration=_SILENCE_SECONDS, max_buffered_speech=_LONGEST_UTTERANCE_SECONDS
    )
    asyncio.run(_use_once(detector))
    process.userdata[_DETECTOR] = detector


async def _use_once(detector: vad.VAD) -> None:
    """Start WebRTC's threads and load the model now: 35 ms that no job waits for."""
    await Track().aclose()
    await detector.stream().aclose()


async def run_job(context: JobContext, settings: AgentSettings) -> None:
    """Run one job, in its process; it goes on until the room or its last human is gone.

    Args:
        context: The job, and the room it is to join.
        settings: The worker's, for asking LiveKit about the room, and of the voice.
    """
    metadata = job_metadata(context.job.metadata)
    context.log_context_fields = {"room": context.job.room.name, "job_id": context.job.id}
    talker = _talker(context, settings, metadata)
    if context.is_fake_job():
        if isinstance(talker, Voice):
            await talker.start_in_console()
        return
    context.add_shutdown_callback(talker.aclose)
    heartbeat = _start_heartbeat(context, settings)
    life = RoomLife(_place(context), TwirpRoom(settings, context.job.room.name))
    leaving = LeaveWithLastHuman(
        context.room, functools.partial(context.shutdown, "nobody is left"), life
    )
    if track := await _enter_room(context, life, talker.auto_subscribe):
        if settings.agent_dispatch is AgentDispatch.JOIN:
            # Sent for a human who was there; otherwise it comes first, and waits.
            leaving.expect_somebody()
        doubt = Doubt(context.room, track, life, context.shutdown)
        heartbeat.on_gap = doubt.arise
        await talker.start(context.room, track)
        logger.info("in the room", extra={"metadata_bytes": metadata.size})


def _start_heartbeat(context: JobContext, settings: AgentSettings) -> Heartbeat:
    heartbeat = Heartbeat(
        silent_seconds=settings.agent_silent_seconds,
        blocked_seconds=settings.agent_blocked_seconds,
    )
    context.add_shutdown_callback(heartbeat.aclose)
    heartbeat.start()
    return heartbeat


def _place(context: JobContext) -> Place:
    return Place(
        room_sid=context.job.room.sid,
        agent_name=context.job.agent_name,
        identity=context.local_participant_identity,
        dispatch_id=context.job.dispatch_id,
    )


async def _enter_room(
    context: JobContext, life: RoomLife, auto_subscribe: AutoSubscribe
) -> Track | None:
    """Join and publish; None, and the job ends, when the room has ended or needs no agent."""
    if reason := await life.reason_to_stay_out():
        context.shutdown(reason)
        return None
    track = Track()
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await context.connect(auto_subscribe=auto_subscribe)
    except TimeoutError:
        context.shutdown("could not connect in time")
        return None
    answer_for_life(context.room.local_participant)
    await track.publish(context.room.local_participant)
    if reason := await _reason_to_leave_again(context.room, life):
        context.shutdown(reason)
        return None
    return track


async def _reason_to_leave_again(room: rtc.Room, life: RoomLife) -> str | None:
    """Say why an agent that has come must leave before it has made a sound."""
    if not await life.is_entered(room):
        return ROOM_HAS_ENDED
    if any(map(life.is_another_of_us, room.remote_participants.values())):
        return await life.reason_to_leave_it_to_the_other()
    return None


def _talker(context: JobContext, settings: AgentSettings, metadata: JobMetadata) -> Talker:
    detector = context.proc.userdata[_DETECTOR]
    if settings.voice_models is None:
        return Parrot(context.room, detector, context.shutdown)
    build_session = functools.partial(voice_session, settings.voice_models, detector)
    instructions = instructions_to_follow(settings, metadata)
    everybody_is_released = functools.partial(release, context, settings)
    return Voice(build_session, instructions, context.shutdown, everybody_is_released)


def instructions_to_follow(settings: AgentSettings, metadata: JobMetadata) -> str | None:
    """Return what the voice agent is told to do, if it listens to whoever wrote the metadata."""
    if settings.follows_instructions or not metadata.unverified_instructions:
        return metadata.unverified_instructions
    sizes = {"metadata_bytes": metadata.size, "instructions_bytes": metadata.instructions_size}
    logger.info("the instructions in the metadata are not followed", extra=sizes)
    return None
