"""Calls to LiveKit, counted."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from tests.exposition import counted
from tests.fakes import FakeLiveKit, FakeRoom
from tests.http.clients import FailingLiveKit
from token_server.errors import (
    LiveKitBusyError,
    LiveKitRefusedKeyError,
    LiveKitRefusedRequestError,
    LiveKitUnavailableError,
)
from token_server.livekit.measured_livekit import MeasuredLiveKit
from token_server.livekit.port import AgentOrder, LiveKit, RoomOrder, RpcOutcome
from token_server.telemetry.metrics import METHODS, Metrics
from token_server.telemetry.turns import STUCK_AFTER

MINUTE = timedelta(minutes=1)
KITCHEN = RoomOrder(room_name="kitchen", empty_timeout=MINUTE, departure_timeout=MINUTE)
AGENT = AgentOrder(agent_name="voice-agent")


@pytest.fixture
def metrics() -> Metrics:
    """Metrics that nothing has counted yet."""
    return Metrics(CollectorRegistry())


def test_every_call_is_counted_and_its_answer_passed_on(metrics: Metrics) -> None:
    """A measured LiveKit answers as it would unmeasured."""
    rooms = FakeLiveKit()
    measured: LiveKit = MeasuredLiveKit(rooms, metrics)

    room = measured.create_room(KITCHEN)
    dispatch = measured.create_dispatch("kitchen", AGENT)
    answers = (
        room == rooms.rooms["kitchen"].room,
        dispatch in measured.list_dispatches("kitchen"),
        [room] == measured.list_rooms(["kitchen"]),
        [rooms.join("kitchen", "alice")] == measured.list_participants("kitchen"),
        measured.delete_dispatch("kitchen", dispatch.dispatch_id),
        measured.set_attributes("kitchen", "alice", {}),
        measured.ask_participant("kitchen", "alice", "x") is RpcOutcome.UNSUPPORTED,
        measured.remove_participant("kitchen", "alice"),
        measured.now() == rooms.now(),
    )

    found = counted(metrics)
    calls = [f'livekit_calls_total{{method="{method}",outcome="ok"}}' for method in METHODS]
    times = [f'livekit_call_seconds_count{{method="{method}"}}' for method in METHODS]
    assert ((True,) * 9, {1.0}) == (answers, {found[name] for name in calls + times})


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        pytest.param(LiveKitUnavailableError("x"), "unavailable", id="no answer"),
        pytest.param(LiveKitBusyError("x", 60.0), "limited", id="too many requests"),
        pytest.param(LiveKitRefusedKeyError("x"), "refused", id="a wrong key"),
        pytest.param(LiveKitRefusedRequestError("x"), "refused", id="a wrong request"),
        pytest.param(RuntimeError("x"), "unavailable", id="a bug"),
    ],
)
def test_a_call_that_fails_is_counted_by_what_went_wrong(
    metrics: Metrics, error: Exception, outcome: str
) -> None:
    """Trouble that may pass, or the operator's to mend; the error itself goes on."""
    measured = MeasuredLiveKit(FailingLiveKit(error), metrics)

    with pytest.raises(type(error)):
        measured.create_dispatch("kitchen", AGENT)

    found = counted(metrics)
    name = f'livekit_calls_total{{method="CreateDispatch",outcome="{outcome}"}}'
    assert (1, None) == (found[name], found.get("dispatches_created_total"))


class BusyLiveKit(FakeLiveKit):
    """A LiveKit that has had too many requests, and takes the last of so many tries."""

    def __init__(self, tries: int, retry_after: float = 0.0) -> None:
        super().__init__()
        self._tries, self._retry_after = tries, retry_after

    def _call(self, name: str) -> None:
        super()._call(name)
        if len(self.calls) < self._tries:
            raise LiveKitBusyError("429", self._retry_after)


@pytest.mark.parametrize(
    ("tries", "retry_after", "pauses", "is_done"),
    [
        pytest.param(4, 0.0, [0.3, 0.6, 1.0], True, id="the last try"),
        pytest.param(5, 0.0, [0.3, 0.6, 1.0], False, id="one too many"),
        pytest.param(3, 1.0, [1.0, 1.0], True, id="as long as it says"),
        pytest.param(2, 3.0, [], False, id="longer than a human waits"),
    ],
)
def test_what_a_human_waits_for_is_asked_again_when_there_were_too_many_requests(
    metrics: Metrics,
    tries: int,
    retry_after: float,
    pauses: list[float],
    is_done: bool,  # noqa: FBT001
) -> None:
    """LiveKit has not done it: a second CreateDispatch is no second agent."""
    slept: list[float] = []
    measured = MeasuredLiveKit(BusyLiveKit(tries, retry_after), metrics, slept.append)

    with nullcontext() if is_done else pytest.raises(LiveKitBusyError):
        measured.create_dispatch("kitchen", AGENT)

    limited = counted(metrics)['livekit_calls_total{method="CreateDispatch",outcome="limited"}']
    assert (pauses, len(pauses) + (not is_done)) == (slept, limited)


def test_what_nobody_waits_for_is_not_asked_again(metrics: Metrics) -> None:
    """The next look or sweep does it, and signs of life come later."""
    livekit = BusyLiveKit(2)
    livekit.rooms["kitchen"] = FakeRoom(FakeLiveKit().create_room(KITCHEN))
    livekit.rooms["kitchen"].participants["agent"] = FakeLiveKit().join("kitchen", "agent")
    livekit.rpc_outcomes["agent", "x"] = RpcOutcome.LIMITED
    measured = MeasuredLiveKit(livekit, metrics)

    with pytest.raises(LiveKitBusyError):
        measured.list_rooms()
    measured.ask_participant("kitchen", "agent", "x")

    found = counted(metrics)
    names = [
        f'livekit_calls_total{{method="{method}",outcome="limited"}}'
        for method in ("ListRooms", "PerformRpc")
    ]
    assert ([1, 1], ["list_rooms"]) == ([found[name] for name in names], livekit.calls[:-1])


def test_a_loop_that_livekit_keeps_waiting_turns() -> None:
    """Each call may last for seconds, and a look makes several: slow is not stuck."""
    passed = [0.0]
    metrics = Metrics(CollectorRegistry(), clock=lambda: passed[0])
    rooms = FakeLiveKit()
    rooms.is_down = True
    measured = MeasuredLiveKit(rooms, metrics)
    metrics.turns.begin("look")
    stuck = []
    for _ in range(4):
        passed[0] += STUCK_AFTER - 1
        with pytest.raises(LiveKitUnavailableError):
            measured.list_rooms()
        stuck += metrics.turns.stuck()

    passed[0] += STUCK_AFTER + 1

    assert ([], ["look"]) == (stuck, metrics.turns.stuck())
