"""The doctor, in live rooms where agents fail."""

from datetime import timedelta

from tests.fakes import FakeLiveKit
from token_server.cli.doctor.checks import Check, Finding
from token_server.cli.doctor.failing_agents import examine_failing_agents
from token_server.cli.doctor.peopled_rooms import look_into_rooms
from token_server.keeper.failures import FAILURES_ATTRIBUTE, Failures


def livekit_with(in_a_row: int) -> FakeLiveKit:
    """A LiveKit with rooms, in one of which so many agents have failed."""
    rooms = FakeLiveKit()
    for number in range(3):
        rooms.join(f"room-{number}", "alice")
    last_at = rooms.now() - timedelta(seconds=1)
    failures = Failures(in_a_row=in_a_row, last_at=last_at).to_attribute()
    rooms.set_attributes("room-1", "alice", {FAILURES_ATTRIBUTE: failures})
    return rooms


def examined(livekit: FakeLiveKit) -> Check | None:
    """Look for them."""
    return examine_failing_agents(look_into_rooms(livekit), livekit.now())


def test_a_room_in_which_agents_fail_is_named() -> None:
    """Its human has no agent, or one that is about to go."""
    check = examined(livekit_with(4))

    assert check is not None
    assert (Finding.WRONG, "agent-failing") == (check.finding, check.cause)
    assert ("room-1: 4 in a row",) == check.evidence


def test_one_failure_is_no_finding() -> None:
    """And a LiveKit that does not tell is told of elsewhere."""
    gone = livekit_with(4)
    gone.is_down = True

    assert [None, None] == [examined(rooms) for rooms in (livekit_with(1), gone)]
