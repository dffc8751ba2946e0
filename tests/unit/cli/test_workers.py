"""What `token-server workers` prints, and ends with."""

from typing import Any

import pytest

from token_server.cli.workers import exit_code, report

NAMES = ["voice-agent"]


def worker(**changes: object) -> dict[str, Any]:
    """A worker as GET /workers has it."""
    return {
        "agent_name": "voice-agent",
        "host": "engine-room",
        "state": "idle",
        "worker_id": "AW_1",
        "calls": 0,
        "max_calls": 25,
        "seconds_registered": 90.0,
        "seconds_since_heard": 1.2,
        "jobs": [],
        **changes,
    }


def lines(*workers: dict[str, Any]) -> list[str]:
    """What is printed of these."""
    return report(workers, NAMES, has_colours=False)


def test_a_worker_has_a_line() -> None:
    """Its state first, as with rooms."""
    assert [
        "idle  voice-agent  engine-room  0 of 25 calls  registered 2 min ago  heard 1 s ago"
    ] == lines(worker())


def test_columns_stand_below_each_other() -> None:
    """A list is read from above."""
    first, second, *_ = lines(worker(state="silent", host="a"), worker(calls=3, state="busy"))

    assert first.index("0 of 25") == second.index("3 of 25")


def test_nobody_told_is_not_nobody_there() -> None:
    """A worker of another make may do very well."""
    assert (["no worker of ours has told"], 2) == ([lines()[0][:26]], exit_code([], NAMES))
    assert "unknown, never absent" in lines()[0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"state": "silent"}, "silent: not heard for 6 s", id="silent"),
        pytest.param(
            {"state": "unregistered", "seconds_registered": None},
            "unregistered: it runs",
            id="unregistered",
        ),
        pytest.param(
            {"agent_name": "voice"},
            "voice: this token server does not ask for it, only for voice-agent",
            id="misnamed",
        ),
        pytest.param(
            {"agent_name": ""},
            "the agent without a name: this token server does not ask for it",
            id="nameless",
        ),
    ],
)
def test_what_is_wrong_is_said_below_the_list(changes: dict[str, object], says: str) -> None:
    """With what to do about it."""
    listed = [worker(), worker(**changes)]

    *_, empty, note = lines(*listed)
    assert ("", True, 1) == (empty, note.startswith(says), exit_code(listed, NAMES))


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["idle"], 0),
        (["busy", "full"], 0),
        (["draining", "idle"], 0),
        (["full"], 1),
        (["full", "draining"], 1),
        (["idle", "silent"], 1),
    ],
)
def test_the_exit_code_says_whether_calls_can_be_taken(states: list[str], code: int) -> None:
    """For a script that asks before a deploy."""
    assert code == exit_code([worker(state=state) for state in states], NAMES)


def test_what_a_worker_calls_itself_cannot_draw_on_the_terminal() -> None:
    """Whoever has the key chooses names."""
    listed = [worker(host="\x1b[2J", agent_name="a\nb")]

    assert all(line.isprintable() for line in report(listed, ["\x1b[2J"], has_colours=False))


def test_colours_are_for_terminals() -> None:
    """Red for who is silent."""
    line, *_ = report([worker(state="silent")], NAMES, has_colours=True)

    assert line.startswith("\033[1;31msilent\033[0m  voice-agent")
