"""The doctor on rooms that serve one caller after another."""

from datetime import UTC, datetime, timedelta

import pytest

from token_server.cli.doctor.live_rooms import Reuse, by_age, by_timeline, check_room_names
from token_server.livekit.port import Participant, ParticipantKind, Room

BEGAN = datetime(2026, 11, 22, 12, tzinfo=UTC)


def rows(*events: tuple[float, str, str]) -> list[dict[str, str]]:
    """A room's timeline: seconds, event, identity."""
    return [
        {
            "at": (BEGAN + timedelta(seconds=seconds)).isoformat(),
            "event": event,
            "participant_identity": identity,
        }
        for seconds, event, identity in events
    ]


ALICE = [(1, "joined", "alice"), (5, "left", "alice")]


@pytest.mark.parametrize(
    ("events", "is_reused"),
    [
        pytest.param([*ALICE, (9, "joined", "bob")], True, id="one-after-the-other"),
        pytest.param([*ALICE, (6.5, "joined", "human-2")], False, id="reload"),
        pytest.param([*ALICE, (9, "joined", "alice")], False, id="the-same-one"),
        pytest.param([(1, "joined", "alice"), (9, "joined", "bob")], False, id="together"),
        pytest.param([(0, "joined", "bob"), *ALICE, (9, "joined", "carol")], False, id="one-stays"),
        pytest.param(
            [*ALICE, (30, "room_ended", ""), (40, "joined", "bob")], False, id="a-new-room"
        ),
        pytest.param(
            [
                (1, "joined", "alice"),
                (5, "joined", "alice"),
                (6, "left", "alice"),
                (10, "joined", "b"),
            ],
            False,
            id="connected-anew",
        ),
        pytest.param([(0, "room_ready", ""), (9, "agent_left", "agent")], False, id="nobody"),
    ],
)
def test_a_caller_in_what_another_left_is_told_from_a_reload(
    events: list[tuple[float, str, str]], *, is_reused: bool
) -> None:
    """People who meet, and pages that are loaded again, are as it should be."""
    assert is_reused is bool(by_timeline("lobby", rows(*events), BEGAN))


def test_the_room_of_a_livekit_that_was_stopped_is_another_one() -> None:
    """After each restart of `make dev` the first caller came into what the last one had left."""
    timeline = rows(
        (0, "room_ready", ""),
        *ALICE,
        (60, "room_ready", ""),
        (61, "joined", "bob"),
        (65, "left", "bob"),
    )
    at_once, carol = BEGAN + timedelta(seconds=59.99), rows((69, "joined", "carol"))

    assert by_timeline("hall", timeline, BEGAN)
    assert by_timeline("hall", timeline, at_once) is None
    assert by_timeline("hall", [*timeline, *carol], at_once)


@pytest.mark.parametrize(
    ("joined_after", "is_reused"), [((10.0, 900.0), False), ((310.0,), True), ((), False)]
)
def test_without_a_timeline_a_room_s_age_may_tell(
    joined_after: tuple[float, ...], *, is_reused: bool
) -> None:
    """A room that nobody came to would have ended before."""
    room = Room(room_name="lobby", room_sid="RM_1", created_at=BEGAN)
    humans = [
        Participant(
            participant_identity="human",
            participant_sid="PA_1",
            kind=ParticipantKind.HUMAN,
            joined_at=BEGAN + timedelta(seconds=seconds),
        )
        for seconds in joined_after
    ]

    assert is_reused is bool(by_age(room, humans, timedelta(seconds=300)))


def test_what_is_certain_is_wrong_and_what_is_meant_is_well() -> None:
    """A name that ROOM_NAMES has as it is was chosen by the operator."""
    lobby = Reuse(room_name="lobby", evidence="lobby: once")
    maybe = Reuse(room_name="hall", evidence="hall: old", is_certain=False)

    checks = [
        check_room_names([maybe, lobby], ["*"]),
        check_room_names([maybe, lobby], ["lobby", "*"]),
        check_room_names([lobby], ["lobby", "*"]),
    ]

    assert ["wrong", "unknown", "ok"] == [check.finding for check in checks]
    assert "ROOM_NAMES=lobby,*" in checks[0].cure
