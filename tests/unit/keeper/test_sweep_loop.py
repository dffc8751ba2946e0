"""The sweep of one process, from the listing to the looks that it asks for."""

import pytest

from tests.fakes import FakeLiveKit
from tests.lives import unasked
from token_server.errors import LiveKitUnavailableError
from token_server.keeper.sweep_loop import SweepLoop
from token_server.livekit.pace import Purpose


class Meeting:
    """A place where one other process is."""

    name = "a"

    def __init__(self) -> None:
        self.is_here = False

    def meet(self) -> frozenset[str]:
        """Be there."""
        self.is_here = True
        return frozenset({"a", "b"})

    def part(self) -> None:
        """Be gone."""
        self.is_here = False


class Agenda:
    """Notes what is to be looked at."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.purposes: set[Purpose] = set()

    def look_now(self, room_name: str) -> None:
        """Note a room."""
        self.asked.append(room_name)

    def look_in(self, room_name: str, seconds: float, purpose: Purpose) -> None:
        """Note a room that is due within the tick."""
        assert 0 <= seconds < 0.5
        self.purposes.add(purpose)
        self.asked.append(room_name)


class Sweep:
    """A loop with a clock that stands still until told."""

    def __init__(self) -> None:
        self.livekit, self.meeting, self.agenda, self.now = FakeLiveKit(), Meeting(), Agenda(), 9.0
        for number in range(20):
            self.livekit.join(f"room-{number}", "alice")
        lives = unasked(self.livekit)
        self.loop = SweepLoop(
            self.livekit, self.meeting, self.agenda, lives, lambda: False, (), lambda: self.now
        )

    def turn(self) -> None:
        """List, if it is time, and choose."""
        self.loop.list_if_due()
        self.loop.choose()


def test_the_first_listing_leads_to_looks_at_the_own_share_alone() -> None:
    """A process that has just started knows who else is there before it looks."""
    sweep = Sweep()

    sweep.turn()

    mine = {name for name in sweep.livekit.rooms if sweep.loop.is_mine(name)}
    assert (mine, {Purpose.SWEEP}) == ({*sweep.agenda.asked}, sweep.agenda.purposes)
    assert 0 < len(mine) == sweep.loop.rooms_mine < 20


def test_a_process_that_livekit_does_not_answer_leaves_its_rooms_to_others() -> None:
    """It may be cut off alone; when it is answered again it is there again."""
    sweep = Sweep()
    sweep.turn()
    sweep.livekit.is_down = True
    here = [sweep.meeting.is_here]
    for _ in range(2):
        sweep.now += 8.0
        with pytest.raises(LiveKitUnavailableError):
            sweep.turn()
        sweep.loop.beat()
        here.append(sweep.meeting.is_here)
    sweep.livekit.is_down = False

    sweep.turn()

    assert ([True, True, False], True) == (here, sweep.meeting.is_here)
