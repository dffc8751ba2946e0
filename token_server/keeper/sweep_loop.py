"""The sweep of one process: it lists the live rooms, and has those of its share looked at."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from token_server.errors import LiveKitBusyError
from token_server.keeper.life_watch import LifeWatch
from token_server.keeper.shares import Meeting, Shares
from token_server.keeper.sweeping import EVERY, TICK, Sweeping
from token_server.livekit.pace import Pace, Purpose, asking_for
from token_server.livekit.port import LiveKit, Participant, Room

# Seconds after an answer in which this process counts as one that can look after rooms; a listing
# is due every 5 s, and may take as long.
_IS_ABLE_FOR = 15.0
# Seconds that a listing waits at most for its turn where LiveKit has a quota.
_LONGEST_TURN = 30.0
_FOR_EVER, _NEVER = float("inf"), float("-inf")


class Agenda(Protocol):
    """Has rooms looked at: look_queue.py."""

    def look_now(self, room_name: str) -> None:
        """Have a room looked at as soon as a thread is free."""

    def look_in(self, room_name: str, seconds: float, purpose: Purpose) -> None:
        """Have a room looked at by then."""


class SweepLoop:
    """Knows this process's share of the live rooms, and keeps every one of them looked at.

    Args:
        livekit: LiveKit.
        meeting: Where this process meets the others.
        agenda: Has rooms looked at.
        lives: Whom to ask for signs of life.
        has_webhooks: Says whether webhooks are known to reach us.
        attend_rooms: Patterns of rooms that are attended for any human.
        clock: Seconds that never go back.
        pace: How many requests LiveKit may be asked.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (everything arrives as an argument)
        self,
        livekit: LiveKit,
        meeting: Meeting,
        agenda: Agenda,
        lives: LifeWatch,
        has_webhooks: Callable[[], bool],
        attend_rooms: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
    ) -> None:
        self._pace = pace or Pace()
        self._livekit, self._agenda, self._lives = livekit, agenda, lives
        self._has_webhooks, self._clock = has_webhooks, clock
        self._shares, self._sweeping = Shares(meeting, clock), Sweeping(attend_rooms)
        self._counted = self._shares.counted
        self._rooms: Mapping[str, Room] = {}
        self._due_at, self._answered_at = _NEVER, _NEVER
        self._in_line: tuple[float, float] | None = None  # since when and until when, where it is
        self.attends, self.is_mine = self._sweeping.attends, self._shares.is_mine

    @property
    def members(self) -> int:
        """How many processes are there, this one included."""
        return 1 + len(self._shares.counted)

    @property
    def rooms_mine(self) -> int:
        """How many live rooms this process looks after."""
        return self._sweeping.rooms_mine

    def oldest_look(self) -> float:
        """Return the seconds since the last good look at the room where it is oldest."""
        return self._sweeping.oldest_look(self._clock())

    def beat(self) -> None:
        """Meet the other processes, a few times a second."""
        # While we wait for our turn it is not LiveKit that does not answer.
        until = in_line[0] if (in_line := self._in_line) else self._clock()
        self._shares.beat(is_able=until - self._answered_at < _IS_ABLE_FOR)

    def list_if_due(self) -> bool:
        """List the live rooms if it is time to; whether it was.

        Raises:
            TokenServerError: LiveKit did not answer.
        """
        asked_at = self._clock()
        if asked_at < self._due_at or not self._is_our_turn(asked_at):
            return False
        try:
            with asking_for(Purpose.SWEEP, paid=1):
                rooms = self._livekit.list_changed_rooms(self._rooms)
        except LiveKitBusyError:
            # That is an answer; but who has not listed the rooms yet cannot look after any.
            if self._answered_at > _NEVER:
                self._answered_at = self._clock()
            raise
        self._answered_at = at = self._clock()
        pause = self._sweeping.pause(at - asked_at, has_webhooks=self._has_webhooks())
        if self._pace.has_quota:
            # What is left is for looks.
            pause = EVERY
        if not self._shares.are_met:
            # Else a process that has just started would have all rooms until its next beat.
            self.beat()
        self._rooms = rooms
        self._sweeping.listed(rooms, self._livekit.now(), at, self.is_mine)
        self._due_at = at + pause
        return True

    def _is_our_turn(self, now: float) -> bool:
        """Whether a listing may be sent.

        It stands in line once it is due: looks take each request of the sweep's as soon as there is
        one, and with many rooms a listing would never find any.
        """
        if self._in_line is None:
            wait = min(self._pace.wait(Purpose.SWEEP), _LONGEST_TURN)
            self._in_line = now, now + wait
            self._pace.spent(purpose=Purpose.SWEEP)
        since, until = self._in_line
        if now < until:
            return False
        self._in_line = None
        self._answered_at += now - since
        return True

    def choose(self) -> None:
        """Have those rooms looked at whose turn it is."""
        if self._shares.counted != self._counted:
            self._counted = self._shares.counted
            self._sweeping.share(self._clock(), self.is_mine)
            self._lives.hand_over(self.is_mine, self._sweeping.handover)
        chosen = self._sweeping.choose(self._clock())
        for room_name in chosen.at_once:
            self._agenda.look_now(room_name)
        for number, room_name in enumerate(chosen.in_turn):
            seconds = number * TICK / len(chosen.in_turn)
            self._agenda.look_in(room_name, seconds, Purpose.SWEEP)

    def looked(self, room_name: str, agents: Sequence[Participant], *, has_human: bool) -> None:
        """Take in what a look has seen, and these agents that have to show that they live.

        Where another process is to look after the room, they are asked until it knows of them.
        """
        self._sweeping.looked(room_name, self._clock(), has_human=has_human)
        is_mine = self.is_mine(room_name)
        self._lives.watch(room_name, agents, _FOR_EVER if is_mine else self._sweeping.handover)

    def look_failed(self, room_name: str) -> None:
        """Know that a look is over that has seen nothing."""
        self._sweeping.looked(room_name, self._clock(), has_human=None)
