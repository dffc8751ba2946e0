"""Which live rooms a sweep looks at, and when the next listing is. No I/O, no clock.

Each process lists the live rooms every few seconds, and looks after its share of them. Soon it
looks at rooms that it has never seen, and at those in which LiveKit counts others than before: an
agent has gone, a human has come. All rooms of its share have their turn, the longest ago first.
Where webhooks are not known to reach us nothing else finds who waits: then the listing comes every
second, and turns as fast as a budget allows.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from token_server.keeper.listed_rooms import ListedRoom, ListedRooms
from token_server.keeper.quiet_rooms import QuietRooms
from token_server.livekit.port import Room
from token_server.tokens.room_patterns import matches_any

# Seconds from one choice to the next.
TICK = 0.5
# Seconds from one listing to the next; where webhooks are not known to work; and how many times as
# long as the listing took the pause is at least: 5,000 rooms are not to keep a processor busy.
EVERY = 5.0
_HURRIED = 1.0
_REST = 10.0
# Looks a second and process where webhooks are not known to work: with the questions a third of a
# core. And of rooms that have changed, or were never seen, where they are.
_HURRIED_LOOKS = 130.0
_CALM_LOOKS = 50.0
# Seconds from one turn of a room to its next where nothing has changed; and where webhooks work,
# looks a second of all processes together.
_SHORTEST_TURN = 3.0
_CALM_TURN = 5.0
_CALM_TURNS = 10.0
# Looks that were asked for and are not over: where LiveKit is slow, no more than these wait. One
# that never came is forgotten after so many seconds.
_MOST_ASKED = 150
_FORGOTTEN = 20.0
# Seconds in which LiveKit's count of a room and a listing have followed what has happened there.
_KNOWN_AFTER = 10.0


@dataclass(frozen=True)
class Chosen:
    """What is to be looked at until the next choice.

    Attributes:
        at_once: The names of rooms to look at now, whatever the budget; each room once.
        in_turn: The names of rooms to look at one after the other, spread over a TICK.
    """

    at_once: Sequence[str]
    in_turn: Sequence[str]


class Sweeping:
    """Chooses from the live rooms.

    Args:
        attend_rooms: Patterns of rooms that are attended for any human.
    """

    def __init__(self, attend_rooms: Sequence[str] = ()) -> None:
        self._attend_rooms = attend_rooms
        self._rooms = ListedRooms(self.attends)
        self._quiet = QuietRooms()
        # Names of rooms of our share: those that have changed, and those never looked at, the next
        # first; all others by their last look.
        self._changed: OrderedDict[str, None] = OrderedDict()
        self._unseen: OrderedDict[str, None] = OrderedDict()
        self._turn: OrderedDict[str, None] = OrderedDict()
        self._asked: OrderedDict[str, float] = OrderedDict()  # looks that are not over
        self._peopled = 0  # of all processes' shares
        self._chosen_at: float | None = None
        self._may_look, self._may_turn = 0.0, 1.0  # looks that are saved up
        self._is_hurried = True
        self._lock = Lock()
        self.rooms_mine = 0

    def attends(self, room_name: str) -> bool:
        """Whether ATTEND_ROOMS covers a room."""
        return matches_any(self._attend_rooms, room_name)

    def looked(self, room_name: str, at: float, *, has_human: bool | None) -> None:
        """Take in what a look has seen, from any thread; None where it has failed."""
        with self._lock:
            self._asked.pop(room_name, None)
            if (listed := self._rooms.get(room_name)) is None:
                return
            listed.has_failed = has_human is None
            if has_human is None:
                return
            listed.looked_at, listed.has_human = at, has_human
            self._drop(room_name)
            if listed.is_mine and listed.is_peopled:
                self._turn[room_name] = None

    def pause(self, took: float, *, has_webhooks: bool) -> float:
        """Return the seconds until the next listing, after one that took so long."""
        self._is_hurried = not has_webhooks
        return EVERY if has_webhooks else min(max(_HURRIED, took * _REST), EVERY)

    def listed(
        self, rooms: Mapping[str, Room], now: datetime, at: float, is_mine: Callable[[str], bool]
    ) -> None:
        """Take in a listing: see ListedRooms.take_in."""
        found = self._rooms.take_in(rooms, now, at, is_mine)
        covered = [room for room in self._rooms if room.is_covered] if self._attend_rooms else []
        with self._lock:
            self._peopled, self.rooms_mine = found.peopled, found.mine
            for room_name in (*found.gone, *found.empty):
                self._drop(room_name)
            for listed in found.changed:
                if listed.is_mine:
                    self._changed[listed.room.room_name] = None
            self._begin(found.new)
            new = {listed.room.room_name for listed in found.new}
            self._quiet.listed([listed for listed in covered if listed.is_mine], new)

    def share(self, at: float, is_mine: Callable[[str], bool]) -> None:
        """Take over rooms from others, and leave rooms to others: members have changed."""
        taken_over, left = [], []
        for listed in self._rooms:
            was_mine, listed.is_mine = listed.is_mine, is_mine(listed.room.room_name)
            if listed.is_mine and not was_mine:
                listed.mine_since, listed.looked_at = at, None
                taken_over.append(listed)
            elif was_mine and not listed.is_mine:
                left.append(listed.room.room_name)
        with self._lock:
            self.rooms_mine += len(taken_over) - len(left)
            for room_name in left:
                self._drop(room_name)
            self._begin(taken_over)

    def choose(self, at: float) -> Chosen:
        """Choose what is looked at until the next choice."""
        with self._lock:
            self._save_up(at)
            at_once, in_turn = self._quiet.take(self._is_hurried)
            self._asked |= dict.fromkeys((*at_once, *in_turn), at)
            for queue in (self._changed, self._unseen):
                in_turn += self._take(queue, at)
            in_turn += self._next_of_all(at)
        return Chosen(at_once, in_turn)

    def _save_up(self, at: float) -> None:
        passed = min(at - self._chosen_at, 2 * TICK) if self._chosen_at is not None else TICK
        self._chosen_at = at
        looks = _HURRIED_LOOKS if self._is_hurried else _CALM_LOOKS
        self._may_look = min(self._may_look + looks * passed, looks)
        turns = len(self._turn) / self.turn_seconds
        self._may_turn = min(self._may_turn + turns * passed, max(turns, 1.0))
        while self._asked and at - next(iter(self._asked.values())) > _FORGOTTEN:
            self._asked.popitem(last=False)

    @property
    def turn_seconds(self) -> float:
        """Seconds from one turn of a room to its next, where LiveKit is quick enough."""
        if self._is_hurried:
            return max(_SHORTEST_TURN, len(self._turn) / _HURRIED_LOOKS)
        return max(_CALM_TURN, self._peopled / _CALM_TURNS)

    @property
    def handover(self) -> float:
        """Seconds after which whoever is to look after a room has looked at what is new there.

        It looks at what it has never seen before all else, and may have as many rooms as we have.
        """
        return 2 * max(_KNOWN_AFTER, self.rooms_mine / _CALM_LOOKS)

    def oldest_look(self, at: float) -> float:
        """Return the seconds since the last good look at the room of our share where it is oldest.

        Those that were never looked at since they are ours, or are listed, count from then on.
        """
        with self._lock:
            rooms = map(self._rooms.get, (*self._changed, *self._unseen, *self._turn))
            return max((room.unseen_for(at) for room in rooms if room), default=0.0)

    def _begin(self, rooms: Iterable[ListedRoom]) -> None:
        """Take up rooms that we know nothing of, those in which somebody may wait alone first.

        New ones that seem empty have their turn with all others: as a rule their human is yet to
        come, and their token's process follows them.
        """
        ours = [listed for listed in rooms if listed.is_mine and listed.is_peopled]
        for listed in sorted(ours, key=_who_waits_first):
            self._drop(listed.room.room_name)
            is_counted = listed.room.num_participants or listed.room.num_publishers
            (self._unseen if is_counted else self._turn)[listed.room.room_name] = None

    def _take(self, queue: OrderedDict[str, None], at: float) -> list[str]:
        """Choose the next of a queue, as far as the budget allows; each then has its turn again."""
        taken: list[str] = []
        while queue and self._may(self._may_look):
            room_name, _ = queue.popitem(last=False)
            self._turn[room_name] = None
            self._turn.move_to_end(room_name)
            if room_name not in self._asked:
                self._note_asked(room_name, at)
                self._may_look -= 1
                taken.append(room_name)
        return taken

    def _next_of_all(self, at: float) -> list[str]:
        """Choose those whose turn it is; nobody's comes early, whatever has been saved up."""
        taken: list[str] = []
        for _ in range(len(self._turn)):
            room_name = next(iter(self._turn))
            has_budget = not self._is_hurried or self._may(self._may_look)
            if not has_budget or not self._may(self._may_turn) or self._is_early(room_name, at):
                break
            self._turn.move_to_end(room_name)
            if room_name not in self._asked:
                self._note_asked(room_name, at)
                self._may_turn -= 1
                self._may_look -= self._is_hurried
                taken.append(room_name)
        return taken

    def _note_asked(self, room_name: str, at: float) -> None:
        listed = self._rooms.get(room_name)
        # Where looks fail the next one comes in its own time (schedule.py), whoever asks for it: it
        # is not to keep one of the others from being asked for meanwhile.
        if listed is None or not listed.has_failed:
            self._asked[room_name] = at

    def _may(self, saved: float) -> bool:
        return saved >= 1 and len(self._asked) < _MOST_ASKED

    def _is_early(self, room_name: str, at: float) -> bool:
        listed = self._rooms.get(room_name)
        if listed is None or listed.looked_at is None:
            return False
        return listed.unseen_for(at) < self.turn_seconds - TICK

    def _drop(self, room_name: str) -> None:
        for queue in (self._changed, self._unseen, self._turn):
            queue.pop(room_name, None)


def _who_waits_first(listed: ListedRoom) -> tuple[bool, bool, int]:
    """Order rooms: who waits for an agent is alone, and nobody else is heard there.

    LiveKit counts agents as publishers, not as participants.
    """
    people, publishers = listed.room.num_participants, listed.room.num_publishers
    return not people, publishers > people, people
