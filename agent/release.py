"""Releases humans: our agent is done with them, and nobody is sent until they join anew.

LiveKit does not tell an end that is meant from a failure (livekit-behaviour 49). The mark stands
among a human's attributes: reconnects keep it, another join has none (livekit-behaviour 64).
"""

import asyncio
import logging

from livekit.agents import JobContext

from agent.humans import is_human
from agent.twirp_room import TwirpRoom
from shared_settings.release_marks import release_attribute, release_mark
from shared_settings.settings import SharedSettings

logger = logging.getLogger(__name__)

_TRY_SECONDS = 1.5
# Before the second and the third try.
_PAUSES = (0.2, 0.5)


class ReleaseError(Exception):
    """Not all humans are marked: for whoever is not, another agent is sent when ours has left."""


async def release(
    context: JobContext, settings: SharedSettings, participant_identity: str | None = None
) -> None:
    """Release one human of the job's room, or all who are in it now.

    Then the job can end (`context.shutdown`), and nobody is sent in its place; or go on.

    Args:
        context: The job.
        settings: Whoever knows LiveKit's API secret can make the mark.
        participant_identity: Whom; None for everybody. Who has left meanwhile needs no mark.

    Raises:
        ReleaseError: LiveKit did not take it, three times in about 5 s.
    """
    if context.is_fake_job():
        return
    for pause in (*_PAUSES, None):
        try:
            async with asyncio.timeout(_TRY_SECONDS):
                released = await _mark(context, settings, participant_identity)
            break
        except Exception as error:
            if pause is None:
                raise ReleaseError(f"LiveKit could not be told: {error!r}") from error
            logger.warning("cannot release yet: %r", error)
        await asyncio.sleep(pause)
    logger.info("released", extra={"participants": released})


async def _mark(
    context: JobContext, settings: SharedSettings, participant_identity: str | None
) -> list[str]:
    """Mark them once; return their identities."""
    room_name, agent_name = context.job.room.name, context.job.agent_name
    room = TwirpRoom(settings, room_name)
    identities = [participant_identity] if participant_identity else await _humans(context, room)
    attribute = release_attribute(agent_name)
    marks = {
        one: release_mark(settings.livekit_api_secret, room_name, one, agent_name)
        for one in identities
    }
    await asyncio.gather(*(room.set_attributes(one, {attribute: marks[one]}) for one in marks))
    return identities


async def _humans(context: JobContext, room: TwirpRoom) -> list[str]:
    """Return who is there, by LiveKit's answer and by what our agent sees.

    The answer may leave somebody out (livekit-behaviour 95), and we see them up to 3 s late
    (livekit-behaviour 46).
    """
    seen = {one.identity for one in context.room.remote_participants.values() if is_human(one)}
    return sorted(seen.union((await room.look()).humans))
