"""Names from elsewhere, wherever a person at a terminal reads them: escaped."""

import io
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.logs import ConsoleFormatter
from token_server.cli.dev.output import Printer
from token_server.cli.dev.supervisor import Death
from token_server.cli.dev.words import obituary
from token_server.cli.doctor.checks import Trouble
from token_server.cli.doctor.report import Report
from token_server.cli.room_report import RoomReport
from token_server.telemetry.logs import LineFormatter
from token_server.telemetry.printable import printable

# What a terminal acts on: a new line, a cleared screen, its 8-bit form, text from right to left.
HOSTILE = ("\n", "\x1b[2J", "\x9b2J", "\u202eevil\u2066", "\u200b", "\ud800", "\x7f", "\u2028")
NAMES = st.one_of(st.text(), st.sampled_from(HOSTILE), st.text(alphabet="".join(HOSTILE)))


def are_lines(text: str) -> bool:
    """Whether there is nothing in it but what can be seen, and the ends of lines."""
    return all(line.isprintable() for line in text.split("\n"))


def a_room(name: str) -> dict[str, Any]:
    """GET /rooms/{room_name} of a room in which everything has this name."""
    return {
        "room_name": name,
        "room_sid": name,
        "is_live": True,
        "is_attended": False,
        "wanted": [{"agent_name": name, "is_attended": False, "waiting_since": name}],
        "participants": [
            {"participant_identity": name, "kind": "agent", "agent_name": name, "joined_at": name}
        ],
        "dispatches": [
            {
                "dispatch_id": name,
                "agent_name": name,
                "state": name,
                "jobs": [{"job_id": name, "status": name}],
            }
        ],
        "advice": {"cause": name, "evidence": name, "cure": name},
        "timeline": [
            {
                "at": "2026-01-01T00:00:00.000Z",
                "event": name,
                "participant_identity": name,
                "agent_name": name,
                "outcome": name,
                "job_id": name,
                "dispatch_id": name,
                "reason": name,
            }
        ],
    }


@given(NAMES)
def test_whatever_the_names_a_room_is_printed_in_lines(name: str) -> None:
    """`token-server room`."""
    report, room = RoomReport(has_colours=False), a_room(name)

    lines = [*report.head(room), *report.timeline(room["timeline"])]

    assert [] == [line for line in lines if not line.isprintable()]


@given(NAMES)
def test_whatever_the_names_rooms_are_printed_in_lines(name: str) -> None:
    """`token-server rooms`."""
    room = {
        "room_name": name,
        "num_participants": 1,
        "is_known": False,
        "is_attended": None,
        "waiting_for": [name],
    }

    lines = RoomReport(has_colours=False).rooms([room])

    assert [] == [line for line in lines if not line.isprintable()]


@pytest.mark.parametrize("formatter", [LineFormatter(), ConsoleFormatter()], ids=["web", "worker"])
@given(name=NAMES)
def test_whatever_the_name_a_log_line_is_one_line(formatter: logging.Formatter, name: str) -> None:
    """In a field, and in the message."""
    record = {"msg": "Room %s", "args": (name,), "levelname": "INFO", "room": name, "all": [name]}

    line = formatter.format(logging.makeLogRecord(record))

    assert line.isprintable()


@pytest.mark.parametrize("formatter", [LineFormatter(), ConsoleFormatter()], ids=["web", "worker"])
def test_a_traceback_quotes_no_name_as_it_is(formatter: logging.Formatter) -> None:
    """An exception may have one in its words."""
    error = ValueError("".join(HOSTILE))
    record = {"msg": "", "levelname": "ERROR", "exc_info": (ValueError, error, None)}

    assert are_lines(formatter.format(logging.makeLogRecord(record)))


def test_a_workers_field_cannot_look_like_another() -> None:
    """People and scripts read name=value."""
    line = ConsoleFormatter().format(logging.makeLogRecord({"room": "a job_id=AJ_1"}))

    assert line.endswith("room='a job_id=AJ_1'")


@given(NAMES)
def test_whatever_the_names_the_doctor_prints_lines(name: str) -> None:
    """It names rooms and agents."""
    out = io.StringIO()
    report = Report(out, is_terminal=False, has_colours=False)
    check = Trouble("clock", f"Do {name}.").wrong("clock", f"{name} is wrong.", name)

    report.found(check)
    report.timed([(0.1, name)])
    report.finish()

    assert are_lines(out.getvalue().encode("utf-8", "replace").decode())
    assert report.as_json().isascii()


@pytest.mark.parametrize("data", [f"a\t{name}" for name in HOSTILE])
def test_make_dev_prints_lines(data: str, capfd: pytest.CaptureFixture[str]) -> None:
    """livekit-server logs rooms' names as they are."""
    Printer(["livekit"]).print("livekit", data)

    shown = capfd.readouterr().out
    assert (True, True) == (are_lines(shown), "| a       " in shown)


def test_an_obituary_quotes_lines() -> None:
    """Of whatever died."""
    assert are_lines(obituary(Death("livekit", 1, ["".join(HOSTILE)])))


@pytest.mark.parametrize("name", ["Küche", "a b", "会議室", "🎙", "a/b\\c", ""])
def test_what_can_be_seen_stays(name: str) -> None:
    """Most names are harmless, and not all of them English."""
    assert name == printable(name)
