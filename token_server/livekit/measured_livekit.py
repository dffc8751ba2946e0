"""The port with every call to LiveKit counted and timed. Changes no answer.

What a human waits for is asked again when LiveKit has had too many requests: it has not done it.
"""

import time
from collections.abc import Callable
from functools import partial, wraps
from typing import Concatenate, ParamSpec, TypeVar

from token_server.errors import LiveKitBusyError, LiveKitUnavailableError, TokenServerError
from token_server.livekit.port import AgentOrder, Dispatch, LiveKit, RpcOutcome
from token_server.telemetry.metrics import Metrics

Asked = ParamSpec("Asked")
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


def _measured(
    name: str, method: Callable[Concatenate[LiveKit, Asked], Result]
) -> "Callable[Concatenate[MeasuredLiveKit, Asked], Result]":
    """Return a method of the port that is counted by what LiveKit calls it."""

    @wraps(method)
    def measured(self: "MeasuredLiveKit", /, *asked: Asked.args, **named: Asked.kwargs) -> Result:
        ask: Callable[..., Result] = getattr(self.behind, method.__name__)
        return self._measure(name, partial(ask, **named), *asked)

    return measured


class MeasuredLiveKit:
    """LiveKit behind the port, measured from the outside."""

    def __init__(
        self, livekit: LiveKit, metrics: Metrics, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.behind, self._metrics, self._sleep = livekit, metrics, sleep
        self.now = livekit.now

    create_room = _measured("CreateRoom", LiveKit.create_room)
    list_rooms = _measured("ListRooms", LiveKit.list_rooms)
    list_changed_rooms = _measured("ListRooms", LiveKit.list_changed_rooms)
    list_participants = _measured("ListParticipants", LiveKit.list_participants)
    has_participants = _measured("ListParticipants", LiveKit.has_participants)
    list_dispatches = _measured("ListDispatch", LiveKit.list_dispatches)
    delete_dispatch = _measured("DeleteDispatch", LiveKit.delete_dispatch)
    # Only ever an agent, one too many or dead (decisions.py).
    remove_participant = _measured("RemoveParticipant", LiveKit.remove_participant)
    set_attributes = _measured("UpdateParticipant", LiveKit.set_attributes)
    ask_participant = _measured("PerformRpc", LiveKit.ask_participant)

    def create_dispatch(self, room_name: str, order: AgentOrder) -> Dispatch:
        """Send an agent to the room, and count it."""
        dispatch = self._measure("CreateDispatch", self.behind.create_dispatch, room_name, order)
        self._metrics.dispatches_created.inc()
        return dispatch

    def _measure(self, method: str, ask: Callable[..., Result], *asked: object) -> Result:
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

    def _measure_once(self, method: str, ask: Callable[..., Result], *asked: object) -> Result:
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
