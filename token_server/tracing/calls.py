"""What one request or look has asked of LiveKit, and when. Spans are made of it afterwards."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from token_server.errors import TokenServerError
from token_server.livekit.measured_livekit import MeasuredLiveKit, Result
from token_server.livekit.port import AgentOrder, Dispatch, Participant, RoomOrder
from token_server.tracing.names import (
    AGENT_NAME,
    DISPATCH_ID,
    PARTICIPANT_IDENTITY,
    ROOM_NAME,
    Attributes,
)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call to LiveKit; times in nanoseconds since 1970, by our clock."""

    method: str
    began: int
    ended: int
    attributes: Attributes
    error: str = ""  # what errors.py calls it


@dataclass
class Recording:
    """The calls of one request or look, and who was in the room when it was last asked."""

    calls: list[Call] = field(default_factory=list)
    participants: Sequence[Participant] = ()


_recording: ContextVar[Recording | None] = ContextVar("recording", default=None)


@contextmanager
def record() -> Iterator[Recording]:
    """Record the calls that this thread makes while in the block."""
    recording = Recording()
    reset = _recording.set(recording)
    try:
        yield recording
    finally:
        _recording.reset(reset)


class TracedLiveKit(MeasuredLiveKit):
    """The port with every call measured, and recorded where somebody records."""

    def _measure(self, method: str, ask: Callable[..., Result], *asked: object) -> Result:
        recording = _recording.get()
        if recording is None:
            return super()._measure(method, ask, *asked)
        answer: Result | None = None
        error, began = "", time.time_ns()
        try:
            answer = super()._measure(method, ask, *asked)
        except TokenServerError as failure:
            error = type(failure).__name__
            raise
        finally:
            attributes = _attributes(method, asked, answer)
            times = {"began": began, "ended": time.time_ns()}
            recording.calls.append(Call(method=method, attributes=attributes, error=error, **times))
        if method == "ListParticipants" and isinstance(answer, list):
            recording.participants = answer
        return answer


def _attributes(method: str, asked: Sequence[object], answer: object) -> Attributes:
    """Say what a call was about, by what it asked for and was answered."""
    found: Attributes = {}
    match asked:
        case [RoomOrder(room_name=room_name, agents=[AgentOrder(agent_name=agent_name), *_])]:
            found = {ROOM_NAME: room_name, AGENT_NAME: agent_name}
        case [str(room_name), AgentOrder(agent_name=agent_name)]:
            found = {ROOM_NAME: room_name, AGENT_NAME: agent_name}
        case [str(room_name), str(name)]:
            what = DISPATCH_ID if method == "DeleteDispatch" else PARTICIPANT_IDENTITY
            found = {ROOM_NAME: room_name, what: name}
        case [RoomOrder(room_name=room_name)] | [str(room_name)]:
            found = {ROOM_NAME: room_name}
    if isinstance(answer, Dispatch):
        found[DISPATCH_ID] = answer.dispatch_id
    return found
