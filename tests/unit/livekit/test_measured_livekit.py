"""Calls to LiveKit, counted."""

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from tests.exposition import counted
from tests.fakes import FakeLiveKit
from tests.http.clients import FailingLiveKit
from token_server.errors import (
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
