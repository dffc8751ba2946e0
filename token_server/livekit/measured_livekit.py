"""The port with every call to LiveKit counted and timed. Changes no answer.

What a human waits for is asked again when LiveKit has had too many requests: it has not done it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, TypeVarTuple

from token_server.errors import LiveKitBusyError, LiveKitUnavailableError, TokenServerError
from token_server.livekit.port import (
    AgentOrder,
    Dispatch,
    LiveKit,
    Participant,
    Room,
    RoomOrder,
    RpcOutcome,
)
from token_server.telemetry.metrics import Metrics

Asked = TypeVarTuple("Asked")
Result = TypeVar("Result")

# What is asked again, and the seconds before each time: a human waits for it, and for no longer.
_WORTH_WAITING_FOR = {
    "CreateRoom",
    "CreateDispatch",
    "DeleteDispatch",
    "RemoveParticipant",
    "UpdateParticipant",
}
_PAUSES = (0.3, 0.6, 1.0)
_LONGEST_WAIT = 2.0


def pause_before(again: int, waited: float, retry_after: float) -> float | None:
    """Return the seconds before the next try of a call that LiveKit was too busy for.

    Args:
        again: How often it has been tried again.
        waited: The seconds that it has waited so far.
        retry_after: What LiveKit says, 0 for nothing.

    Returns:
        None if it is not to be tried again.
    """
    if again >= len(_PAUSES):
        return None
    pause = max(_PAUSES[again], retry_after)
    return pause if waited + pause <= _LONGEST_WAIT else None


class MeasuredLiveKit:
    """LiveKit behind the port, measured from the outside."""

    def __init__(
        self, livekit: LiveKit, metrics: Metrics, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._livekit, self._metrics, self._sleep = livekit, metrics, sleep
        self.now = livekit.now

    def create_room(self, order: RoomOrder) -> Room:
        """Make the room, or return the live one."""
        return self._measure("CreateRoom", self._livekit.create_room, order)

    def list_rooms(self, room_names: Sequence[str] = ()) -> Sequence[Room]:
        """Return the live rooms of these names, or all."""
        return self._measure("ListRooms", self._livekit.list_rooms, room_names)

    def list_changed_rooms(self, before: Mapping[str, Room]) -> Mapping[str, Room]:
        """Return all live rooms."""
        return self._measure("ListRooms", self._livekit.list_changed_rooms, before)

    def list_participants(self, room_name: str) -> Sequence[Participant]:
        """Return who is in the room."""
        return self._measure("ListParticipants", self._livekit.list_participants, room_name)

    def has_participants(self, room_name: str) -> bool:
        """Whether anybody is in the room."""
        return self._measure("ListParticipants", self._livekit.has_participants, room_name)

    def list_dispatches(self, room_name: str) -> Sequence[Dispatch]:
        """Return the room's dispatches."""
        return self._measure("ListDispatch", self._livekit.list_dispatches, room_name)

    def create_dispatch(self, room_name: str, order: AgentOrder) -> Dispatch:
        """Send an agent to the room, and count it."""
        dispatch = self._measure("CreateDispatch", self._livekit.create_dispatch, room_name, order)
        self._metrics.dispatches_created.inc()
        return dispatch

    def delete_dispatch(self, room_name: str, dispatch_id: str) -> bool:
        """Take a dispatch back."""
        return self._measure(
            "DeleteDispatch", self._livekit.delete_dispatch, room_name, dispatch_id
        )

    def remove_participant(self, room_name: str, participant_identity: str) -> bool:
        """Put a participant out: only ever an agent, one too many or dead (decisions.py)."""
        return self._measure(
            "RemoveParticipant", self._livekit.remove_participant, room_name, participant_identity
        )

    def set_attributes(
        self, room_name: str, participant_identity: str, attributes: Mapping[str, str]
    ) -> bool:
        """Set some of a participant's attributes."""
        ask = self._livekit.set_attributes
        return self._measure("UpdateParticipant", ask, room_name, participant_identity, attributes)

    def ask_participant(self, room_name: str, participant_identity: str, method: str) -> RpcOutcome:
        """Call a participant's RPC method."""
        ask = self._livekit.ask_participant
        return self._measure("PerformRpc", ask, room_name, participant_identity, method)

    def _measure(self, method: str, ask: Callable[[*Asked], Result], *asked: *Asked) -> Result:
        again, waited = 0, 0.0
        while True:
            try:
                return self._measure_once(method, ask, *asked)
            except LiveKitBusyError as error:
                pause = pause_before(again, waited, error.retry_after)
                if pause is None or method not in _WORTH_WAITING_FOR:
                    raise
            again, waited = again + 1, waited + pause
            self._sleep(pause)

    def _measure_once(self, method: str, ask: Callable[[*Asked], Result], *asked: *Asked) -> Result:
        outcome, began = "unavailable", time.perf_counter()
        try:
            answer = ask(*asked)
            outcome = "limited" if answer is RpcOutcome.LIMITED else "ok"
        except LiveKitBusyError:
            outcome = "limited"
            raise
        except LiveKitUnavailableError:
            raise
        except TokenServerError:
            outcome = "refused"
            raise
        finally:
            self._metrics.livekit_called(method, outcome, time.perf_counter() - began)
        return answer
