"""Does a human wait for an agent in a live room? Looked at before the doctor's probe, and after it.

Their tickets say for whom they wait. Who waits both times does not wait for what is on its way.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from token_server.cli.doctor.checks import Check, Trouble
from token_server.cli.doctor.peopled_rooms import PeopledRooms
from token_server.cli.doctor.steps import Again, Step
from token_server.errors import TokenServerError
from token_server.keeper.absence_reasons import name_of
from token_server.keeper.failures import fewest_failures
from token_server.keeper.observed_room import agents_named
from token_server.keeper.wanted_agents import Policy, wants
from token_server.livekit.port import LiveKit, Participant
from token_server.settings import Settings
from token_server.tokens.tickets import TicketSealer

# Most agents come within one; a room's advice begins then too.
_TOO_EARLY = timedelta(seconds=5)
_MOST_SHOWN = 3
# Another doctor's, who waits for what it names; a doctor of medicine has other rooms.
_OF_DOCTORS = re.compile(r"doctor-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Wait:
    """A human waits in a room for an agent, since then (LiveKit's clock)."""

    room_name: str
    agent_name: str
    since: datetime


class WaitingHumans:
    """Those of the rooms that were looked into before the probe.

    Args:
        livekit: LiveKit.
        settings: Ours, which should be the token server's: they open tickets.
        rooms: Whom LiveKit has listed where.
    """

    def __init__(self, livekit: LiveKit, settings: Settings, rooms: PeopledRooms) -> None:
        self._livekit = livekit
        self._sealer = TicketSealer(*settings.webhook_secrets.values())
        self._policy = Policy(
            agent_names=settings.allowed_agent_names,
            attend_rooms=settings.attend_rooms,
            agent_rules=settings.agent_rules,
        )
        self._before = [wait for room in rooms for wait in self._waits(*room)]

    def still(self) -> list[Wait]:
        """Return who waits now too, and has waited too long; who waits longest is first."""
        names = dict.fromkeys(wait.room_name for wait in self._before)
        try:
            now = [
                wait
                for name in names
                for wait in self._waits(name, self._livekit.list_participants(name))
            ]
        except TokenServerError:
            return []
        long_ago = self._livekit.now() - _TOO_EARLY
        both = [wait for wait in now if wait in self._before and wait.since <= long_ago]
        return sorted(both, key=lambda wait: wait.since)

    def _waits(self, room_name: str, participants: Sequence[Participant]) -> Iterator[Wait]:
        if _OF_DOCTORS.fullmatch(room_name):
            return
        for want in wants(room_name, participants, self._sealer, self._policy):
            agent_name = want.order.agent_name
            # Where agents fail one after the other, that is said by itself.
            is_told = fewest_failures(want.humans, self._livekit.now()).are_a_loop
            if not is_told and not agents_named(agent_name, participants):
                yield Wait(room_name=room_name, agent_name=agent_name, since=want.since)


def check_waits(
    waits: Sequence[Wait], examined: str, *, is_well: bool, now: datetime
) -> Check | None:
    """Say that somebody waits; None if nobody does, or it was said already why.

    Args:
        waits: Who does.
        examined: The agent that the doctor has called.
        is_well: Whether it came: else what was said of it holds for those who wait for it.
        now: LiveKit's clock.
    """
    others = [wait for wait in waits if wait.agent_name != examined]
    told = others or (waits if is_well else [])
    if not told:
        return None
    evidence = [_in_words(wait, now) for wait in told[:_MOST_SHOWN]]
    names = [name_of(name) for name in dict.fromkeys(wait.agent_name for wait in told)]
    says = f"A human waits in a live room for {', '.join(names)}, and no agent comes."
    return _trouble(told, is_other=bool(others)).wrong("live rooms", says, *evidence)


def _trouble(waits: Sequence[Wait], *, is_other: bool) -> Trouble:
    steps: list[Step] = []
    if is_other:
        names = dict.fromkeys(wait.agent_name for wait in waits[:_MOST_SHOWN])
        steps += [Again(agent=name) for name in names]
        return Trouble(
            "human-waits",
            "Examine that agent: this run has called another one.",
            tuple(steps),
        )
    rooms = dict.fromkeys(wait.room_name for wait in waits[:_MOST_SHOWN])
    steps += [f"token-server room {shlex.quote(name)}" for name in rooms]
    return Trouble(
        "human-waits",
        "The agent came to the doctor: look at what has happened in that room.",
        tuple(steps),
    )


def _in_words(wait: Wait, now: datetime) -> str:
    seconds = (now - wait.since).total_seconds()
    return f"room {wait.room_name}: a human waits for {name_of(wait.agent_name)}, {seconds:.0f} s"
