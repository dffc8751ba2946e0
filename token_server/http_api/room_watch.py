"""What operators see of rooms: asked of LiveKit when they ask, with what the timeline has kept."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from token_server.errors import LiveKitUnavailableError, UnknownRoomError
from token_server.http_api.room_advice import Situation
from token_server.http_api.room_view import document, in_urgency, row
from token_server.keeper.wanted_agents import Policy, Want, wants
from token_server.livekit.port import LiveKit, Participant, Room
from token_server.livekit.slices import give_way, slices
from token_server.state.timeline import Timeline
from token_server.tokens.tickets import TicketSealer

# Rooms that are looked into for one list; on Cloud a call takes some 50 ms.
_MOST_ROOMS = 200
# Of these, as many are left for rooms that look empty: the count lags (livekit-behaviour 6).
_MOST_EMPTY = 50
_AT_ONCE = 8
# Rows made in one go; no request has a turn meanwhile.
_ROWS_AT_ONCE = 50
# Seconds; the rooms that LiveKit has not answered for by then are unknown.
_LOOK_FOR = 8.0


class RoomWatch:
    """Looks into rooms, and changes nothing.

    Args:
        livekit: LiveKit.
        sealer: Opens tickets, and knows who is released.
        policy: Which agents humans may want.
        timeline: What was kept.
        seconds: How long it looks into rooms for one list.
    """

    def __init__(
        self,
        livekit: LiveKit,
        sealer: TicketSealer,
        policy: Policy,
        timeline: Timeline,
        *,
        seconds: float = _LOOK_FOR,
    ) -> None:
        self._livekit, self._sealer, self._policy = livekit, sealer, policy
        self._timeline, self._seconds = timeline, seconds

    def room(self, room_name: str) -> dict[str, Any]:
        """Return what is known of a room, live or not.

        Raises:
            UnknownRoomError: It is not live, and nothing is kept of it.
            LiveKitUnavailableError: LiveKit did not answer.
        """
        found = self._livekit.list_rooms([room_name])
        kept = self._timeline.of(room_name)
        if not found and not kept:
            raise UnknownRoomError(
                "room_name is not a live room, and nothing is kept of an earlier one"
            )
        if not found:
            past = Situation(room_name=room_name, now=self._livekit.now(), past=kept)
            return document(past, None)
        participants = self._livekit.list_participants(room_name)
        seen = Situation(
            room_name=room_name,
            participants=participants,
            dispatches=self._livekit.list_dispatches(room_name),
            wanted=self._wanted(room_name, participants),
            past=kept,
            now=self._livekit.now(),
            default_name=self._policy.agent_names[0],
            released_from={
                each.participant_identity: self._sealer.released_from(room_name, each)
                for each in participants
            },
        )
        give_way()  # a large room has many tickets to open, and much to show
        return document(seen, found[0])

    def rooms(self) -> list[dict[str, Any]]:
        """Return all live rooms, those with a human who waits first.

        Raises:
            LiveKitUnavailableError: LiveKit did not answer.
        """
        live = self._livekit.list_rooms()
        participants = self._participants(to_look_into(live))
        give_way()
        return in_urgency(
            self._row(room, participants.get(room.room_name))
            for some in slices(live, _ROWS_AT_ONCE)
            for room in some
        )

    def _participants(self, rooms: Sequence[Room]) -> dict[str, Sequence[Participant] | None]:
        """Ask who is in these rooms; those that were not answered for in time are left out."""
        threads = ThreadPoolExecutor(_AT_ONCE)
        asked = {threads.submit(self._look, room.room_name): room.room_name for room in rooms}
        try:
            done, _ = wait(asked, self._seconds)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
        return {asked[answered]: answered.result() for answered in done}

    def _look(self, room_name: str) -> Sequence[Participant] | None:
        try:
            return self._livekit.list_participants(room_name)
        except LiveKitUnavailableError:
            return None

    def _row(self, room: Room, participants: Sequence[Participant] | None) -> dict[str, Any]:
        wanted = self._wanted(room.room_name, participants or ())
        return row(room, participants, wanted, self._livekit.now())

    def _wanted(self, room_name: str, participants: Sequence[Participant]) -> list[Want]:
        return wants(room_name, participants, self._sealer, self._policy)


def to_look_into(rooms: Sequence[Room]) -> list[Room]:
    """Choose the rooms in which a human is most likely to wait.

    Those with somebody in them, the loneliest first, and the youngest of those that look empty:
    who has just come is not counted yet. What one kind does not need is the other's.
    """
    by_age = sorted(rooms, key=lambda room: room.created_at, reverse=True)
    peopled = sorted(filter(_has_somebody, by_age), key=lambda room: room.num_participants)
    empty = [room for room in by_age if not _has_somebody(room)]
    chosen = peopled[: _MOST_ROOMS - min(len(empty), _MOST_EMPTY)]
    return chosen + empty[: _MOST_ROOMS - len(chosen)]


def _has_somebody(room: Room) -> bool:
    return room.num_participants > 0
