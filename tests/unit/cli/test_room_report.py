"""What `token-server room` and `rooms` print."""

from typing import Any

import pytest

from token_server.cli.room_report import RoomReport, new_entries

REPORT = RoomReport(has_colours=False)
WAITING: dict[str, Any] = {
    "room_name": "kitchen",
    "room_sid": "RM_1",
    "is_live": True,
    "is_attended": False,
    "wanted": [
        {
            "agent_name": "voice-agent",
            "is_attended": False,
            "waiting_since": "2026-01-01T00:00:01.500Z",
        }
    ],
    "participants": [
        {
            "participant_identity": "alice",
            "kind": "human",
            "agent_name": "",
            "joined_at": "2026-01-01T00:00:01.500Z",
        }
    ],
    "dispatches": [
        {
            "dispatch_id": "AD_1",
            "agent_name": "voice-agent",
            "state": "no worker is known to have taken it",
            "jobs": [],
        }
    ],
    "advice": {"cause": "no-worker", "evidence": "no worker took it", "cure": "start one"},
}
ENTRIES = [
    {"at": "2026-01-01T00:00:00.000Z", "event": "token_issued", "participant_identity": "alice"},
    {"at": "2026-01-01T00:00:01.500Z", "event": "joined", "participant_identity": "alice"},
]


def listed(**changes: object) -> dict[str, Any]:
    """A room as GET /rooms has it."""
    room = {"room_name": "kitchen", "num_participants": 1, "is_known": True, "is_attended": None}
    return {**room, "waiting_for": [], **changes}


def test_a_room_that_waits_says_for_whom_since_when_and_what_to_do() -> None:
    """The whole head, as it is read."""
    assert [
        "kitchen  RM_1, live, waiting for voice-agent since 00:00:01.500",
        "  human: alice, here since 00:00:01.500",
        "  dispatch AD_1 of voice-agent: no worker is known to have taken it",
        "  no worker took it",
        "  → start one",
    ] == REPORT.head(WAITING)


def test_a_released_human_says_from_whom() -> None:
    """Nobody is sent for them; an older server does not tell."""
    alice = WAITING["participants"][0]
    released = WAITING | {"participants": [alice | {"released_from": ["voice-agent", ""]}]}

    assert (
        "  human: alice, here since 00:00:01.500, released from voice-agent,"
        " the agent without a name"
    ) in REPORT.head(released)


@pytest.mark.parametrize(
    ("wanted", "jobs", "is_shown"),
    [
        pytest.param("voice-agent", [], False, id="livekits-own"),
        pytest.param("", [], True, id="automatic"),
        pytest.param("voice-agent", [{"job_id": "AJ_1", "status": "running"}], True, id="taken"),
    ],
)
def test_a_dispatch_without_a_name_is_told_where_it_concerns_somebody(
    wanted: str, jobs: list[dict[str, str]], *, is_shown: bool
) -> None:
    """LiveKit makes one with each room, which looked like a fault in each that was well."""
    dispatch = WAITING["dispatches"][0] | {"agent_name": "", "jobs": jobs}
    want = WAITING["wanted"][0] | {"agent_name": wanted}

    head = REPORT.head(WAITING | {"dispatches": [dispatch], "wanted": [want]})

    assert is_shown == any("dispatch AD_1 of the agent without a name" in line for line in head)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"is_live": False}, "kitchen  not live", id="ended"),
        pytest.param({"is_attended": True}, "kitchen  RM_1, live, attended", id="attended"),
        pytest.param(
            {"is_attended": None},
            "kitchen  RM_1, live, no human in it wants an agent",
            id="no human",
        ),
    ],
)
def test_a_room_says_how_it_is(changes: dict[str, object], says: str) -> None:
    """In its first line."""
    assert says == REPORT.head(WAITING | changes)[0]


def test_an_entry_says_when_and_how_long_after_the_one_before() -> None:
    """That is where the second went."""
    assert [
        "  00:00:00.000    +0.000  token issued      alice",
        "  00:00:01.500    +1.500  joined            alice",
    ] == REPORT.timeline(ENTRIES)
    assert ["  00:00:01.500    +1.500  joined            alice"] == REPORT.timeline(
        ENTRIES[1:], ENTRIES[0]
    )


def test_an_entry_from_before_those_shown_is_new_all_the_same() -> None:
    """Another process writes half a second later."""
    assert ENTRIES[:1] == new_entries(ENTRIES[1:], ENTRIES)


@pytest.mark.parametrize(
    ("room", "says"),
    [
        (listed(waiting_for=["a"]), "waiting   kitchen  1 participant, waits for a"),
        (listed(waiting_for=[""]), "waiting   kitchen  1 participant, waits for the agent without"),
        (
            listed(is_attended=True, failing=["a"]),
            "attended  kitchen  1 participant, a fails again and again",
        ),
        (listed(is_known=False, num_participants=3), "unknown   kitchen  3 participants"),
        (listed(is_attended=True), "attended  kitchen  1 participant"),
        (listed(), "no human  kitchen  1 participant"),
    ],
    ids=["waiting", "unnamed", "failing", "unknown", "attended", "no human"],
)
def test_a_list_has_a_line_a_room(room: dict[str, Any], says: str) -> None:
    """Its state first."""
    line, *_ = REPORT.rooms([room])

    assert line.startswith(says)


def test_an_empty_list_says_so() -> None:
    """Nothing printed would look like an error."""
    assert ["no live rooms"] == REPORT.rooms([])


def test_colours_are_for_terminals() -> None:
    """Red for what waits."""
    line = RoomReport(has_colours=True).rooms([listed(waiting_for=["a"])])[0]

    assert line.startswith("\033[1;31mwaiting")
